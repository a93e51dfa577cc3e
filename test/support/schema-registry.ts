/** A real schema registry as a child process: Apicurio Registry, in memory, from what `schema-registry/install` unpacks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RegisteredSchema } from '../../src/catalog/schema-source.ts';
import { schemaRegistryJar } from './requires.ts';

export interface SchemaRegistryServer {
  /** Of the API that is Confluent's. */
  readonly url: string;
  /** Registers the next version of a subject; answers the schema's id. */
  register(subject: string, schema: NewSchema): Promise<number>;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface NewSchema {
  readonly type: RegisteredSchema['type'];
  readonly text: string;
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[];
}

const readyWithinMs = 60_000;

/** @param port On 127.0.0.1; any free one unless told. What is registered is forgotten when it stops. */
export async function startSchemaRegistry(port?: number): Promise<SchemaRegistryServer> {
  const own = port ?? (await freePort());
  const child = spawn(
    'java',
    [
      ...['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${own}`],
      ...['-jar', schemaRegistryJar],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const url = `http://127.0.0.1:${own}/apis/ccompat/v7`;
  const until = Date.now() + readyWithinMs;
  while (
    !(await fetch(`${url}/subjects`).then(
      response => response.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the schema registry did not start: ${log}`);
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return {
    url,
    async register(subject, { type, text, references = [] }) {
      const response = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schemaType: type, schema: text, references }),
      });
      const answer = (await response.json()) as { id?: number };
      if (answer.id === undefined) throw new Error(`not registered: ${JSON.stringify(answer)}`);
      return answer.id;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
