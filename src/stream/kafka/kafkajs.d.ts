/** Of kafkajs' inside, no more than is used: one connection, with TLS, SASL and its queue of requests. */
declare module 'kafkajs/src/network/connection.js' {
  interface ConnectionOptions {
    readonly host: string;
    readonly port: number;
    readonly logger: unknown;
    readonly socketFactory: unknown;
    readonly requestTimeout: number;
    readonly connectionTimeout: number;
    readonly clientId: string;
    readonly ssl: object | null;
    readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string } | null;
  }

  interface Request {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  }

  interface Protocol {
    readonly request: Request;
    readonly response: {
      decode(payload: Buffer): Promise<{ readonly clientSideThrottleTime: number; readonly payload: Buffer }>;
      parse(decoded: { readonly payload: Buffer }): Promise<Buffer>;
    };
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }

  class Connection {
    constructor(options: ConnectionOptions);
    readonly socket: { destroy(): void } | undefined;
    readonly requestQueue: { readonly pending: readonly unknown[]; scheduleCheckPendingRequests(): void };
    connect(): Promise<unknown>;
    authenticate(): Promise<void>;
    disconnect(): Promise<unknown>;
    isConnected(): boolean;
    rejectRequests(error: Error): void;
    setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    send(protocol: Protocol): Promise<Buffer>;
  }
  export default Connection;
}

declare module 'kafkajs/src/network/socketFactory.js' {
  export default function socketFactory(): unknown;
}

declare module 'kafkajs/src/loggers/index.js' {
  interface Entry {
    readonly label: string;
    readonly log: { readonly message: string };
  }
  const loggers: {
    readonly LEVELS: { readonly DEBUG: number; readonly INFO: number };
    createLogger(options: { level: number; logCreator: () => (entry: Entry) => void }): unknown;
  };
  export default loggers;
}
