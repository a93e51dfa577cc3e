/**
 * Schemas from a registry that speaks Confluent's REST API (Confluent's own, Apicurio's, Karapace, Redpanda's …), by the
 * ids that messages carry. Read only.
 */
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { ReferencedSchema, RegisteredSchema, SchemaSource } from '../catalog/schema-source.ts';
import type { SchemaRegistry, SecretReference } from '../catalog/table.ts';
import {
  registryAnswerSizeBytesMax,
  registryTimeoutMs,
  schemaReferencesMax,
  schemasKeptMax,
  unknownSchemaKeptMs,
} from './limits.ts';

export interface SchemaRegistryOptions {
  readonly registry: SchemaRegistry;
  /** Resolves `env:NAME` and `file:/path`; asked at each request, so that a changed password is taken up. */
  readSecret(reference: SecretReference): Promise<string>;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
}

/** A reference, as the registry answers it. */
interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface Answer {
  readonly text: string;
  readonly type: string;
  readonly references: readonly Reference[];
}

interface Kept {
  readonly schema: Promise<RegisteredSchema | null>;
  /** Until when an unknown id is taken for unknown; a schema never changes. */
  untilMs: number;
}

export class SchemaRegistryClient implements SchemaSource {
  readonly #options: SchemaRegistryOptions;
  /** Without credentials and closing slash. */
  readonly #url: string;
  readonly #kept = new Map<number, Kept>();

  /** @throws FaultError INVALID_DEFINITION where the registry's URL is none */
  constructor(options: SchemaRegistryOptions) {
    this.#options = options;
    this.#url = bareUrl(options.registry.url);
  }

  schema(id: number): Promise<RegisteredSchema | null> {
    const known = this.#kept.get(id);
    if (known && known.untilMs > this.#options.clock.monotonicMs()) return known.schema;
    const kept: Kept = { schema: this.#load(id), untilMs: Number.POSITIVE_INFINITY };
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    if (this.#kept.size > schemasKeptMax) this.#kept.delete(this.#kept.keys().next().value!);
    kept.schema.then(
      schema => {
        if (schema === null) kept.untilMs = this.#options.clock.monotonicMs() + unknownSchemaKeptMs;
      },
      () => {
        if (this.#kept.get(id) === kept) this.#kept.delete(id);
      },
    );
    return kept.schema;
  }

  async #load(id: number): Promise<RegisteredSchema | null> {
    const answer = await this.#ask(`/schemas/ids/${id}`);
    if (answer === null) return null;
    const { type, text } = answer;
    // One that is neither is told apart by whoever reads it: its messages are rejected.
    const known = type as RegisteredSchema['type'];
    const references: ReferencedSchema[] = [];
    await this.#follow(answer.references, references, new Set());
    return { type: known, text, references };
  }

  /** Depth first, so that what a schema refers to stands before it. */
  async #follow(references: readonly Reference[], into: ReferencedSchema[], seen: Set<string>): Promise<void> {
    for (const { name, subject, version } of references) {
      if (seen.has(name) || seen.size === schemaReferencesMax) continue;
      seen.add(name);
      const answer = await this.#ask(`/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`);
      // One that is gone leaves a name that means nothing: the reader of the schema says so.
      if (answer === null) continue;
      await this.#follow(answer.references, into, seen);
      into.push({ name, text: answer.text });
    }
  }

  /** null: the registry says that it has no such thing. */
  async #ask(path: string): Promise<Answer | null> {
    const { clock } = this.#options;
    const deadline = new AbortController();
    const answered = new AbortController();
    clock.sleep(registryTimeoutMs, answered.signal).then(
      () => deadline.abort(new Error(`no answer within ${registryTimeoutMs} ms`)),
      () => {},
    );
    try {
      const headers = { accept: 'application/vnd.schemaregistry.v1+json, application/json', ...(await this.#login()) };
      const response = await this.#options
        .fetch(`${this.#url}${path}`, { headers, signal: deadline.signal })
        .catch(error => {
          throw this.#unavailable(`cannot be reached: ${causeOf(error)}`, error);
        });
      const body = await this.#body(response);
      return this.#answerOf(response.status, body);
    } finally {
      answered.abort();
    }
  }

  async #login(): Promise<Record<string, string>> {
    const { registry, readSecret } = this.#options;
    if (registry.username === null) return {};
    const password = registry.password === null ? '' : await readSecret(registry.password);
    return { authorization: `Basic ${Buffer.from(`${registry.username}:${password}`).toString('base64')}` };
  }

  async #body(response: Response): Promise<string> {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const part of response.body ?? []) {
        sizeBytes += part.length;
        if (sizeBytes > registryAnswerSizeBytesMax) break;
        parts.push(part);
      }
    } catch (error) {
      throw this.#unavailable(`broke off its answer: ${causeOf(error)}`, error);
    }
    if (sizeBytes > registryAnswerSizeBytesMax)
      throw this.#unavailable(`answers with more than ${registryAnswerSizeBytesMax} bytes`);
    return Buffer.concat(parts).toString('utf8');
  }

  #answerOf(status: number, body: string): Answer | null {
    if (status === 401 || status === 403)
      throw fault('FORBIDDEN', `the schema registry ${this.#url} refuses: status ${status}`, {
        hint: "check the source's user name and password of the schema registry",
      });
    const document = parsed(body);
    // Not every 404 says that there is no such schema: a wrong path of the URL gives one, too.
    if (status === 404 && typeof document?.error_code === 'number') return null;
    if (status < 200 || status > 299 || typeof document?.schema !== 'string')
      throw this.#unavailable(`does not answer as a schema registry does: status ${status}`);
    return {
      text: document.schema,
      // Left out for Avro.
      type: typeof document.schemaType === 'string' ? document.schemaType : 'AVRO',
      references: Array.isArray(document.references) ? document.references.filter(isReference) : [],
    };
  }

  #unavailable(what: string, cause?: unknown): Error {
    const hint = 'ingestion goes on by itself once the registry answers';
    return fault('UNAVAILABLE', `the schema registry ${this.#url} ${what}`, { hint }, { cause });
  }
}

function bareUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw fault('INVALID_DEFINITION', "the schema registry's URL must begin with http:// or https://");
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function parsed(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isReference = (value: unknown): value is Reference => {
  const { name, subject, version } = (value ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && typeof subject === 'string' && Number.isInteger(version);
};

/** `fetch` says only that it failed; why is in its cause. */
const causeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || String((cause as NodeJS.ErrnoException).code ?? cause.name);
};
