/** What a connection shows, read anew for each: a rotated password or certificate is taken without a restart. */
import type { KafkaSasl } from '../../catalog/table.ts';
import type { KafkaConnection } from './types.ts';

/** The text behind a SecretReference. @throws FaultError that names the reference, never the secret. */
export type ReadSecret = (reference: string) => Promise<string>;

/** As Node's `tls.connect` and kafkajs want them. */
export interface Credentials {
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  readonly sasl: {
    readonly mechanism: KafkaSasl['mechanism'];
    readonly username: string;
    readonly password: string;
  } | null;
}

export async function readCredentials({ tls, sasl }: KafkaConnection, readSecret: ReadSecret): Promise<Credentials> {
  const read = async (reference: string | null) => (reference === null ? undefined : await readSecret(reference));
  return {
    tls: tls && { ca: await read(tls.ca), cert: await read(tls.certificate), key: await read(tls.key) },
    sasl: sasl && { mechanism: sasl.mechanism, username: sasl.username, password: await readSecret(sasl.password) },
  };
}
