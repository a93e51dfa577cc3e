/** What every route of the door shares. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccountState, Accounts } from '../base/accounts.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { writeJson } from '../client/json.ts';
import type { BrokerCalls } from '../wire/broker-calls.ts';
import type { Client } from '../wire/call.ts';
import type { MemberCalls } from '../wire/cluster-calls.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import type { LoadCalls } from '../wire/load-calls.ts';
import type { ShardStatus } from '../wire/shard-calls.ts';
import type { Bodies } from './body.ts';
import type { Metrics } from './metrics.ts';

export interface HttpSettings {
  /** `127.0.0.1`, `::1`, `0.0.0.0`, a name. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly hostNames: readonly string[];
  readonly origins: readonly string[];
  readonly bodySizeBytesMax: number;
  readonly queryTimeoutMs: number;
  /** The built page; null: none is served. */
  readonly webFolder: string | null;
  readonly version: string;
}

/** What the door of any process has. */
export interface StatusComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly members: Client<MemberCalls>;
  /** What the shards hold. */
  readonly shards?: () => Promise<readonly ShardStatus[]>;
  /** For `/metrics`: the accounts, and what the process takes. */
  readonly memory?: () => readonly AccountState[];
  /** Why the process is no part of its cluster now; empty where it is. */
  readonly causes?: () => readonly string[];
}

export interface HttpComponents extends StatusComponents {
  readonly broker: Client<BrokerCalls>;
  readonly controller: Client<ControllerCalls>;
  readonly ingest: Client<IngestCalls>;
  readonly loads: Client<LoadCalls>;
  readonly random: Random;
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
}

export interface Door {
  readonly settings: HttpSettings;
  readonly components: HttpComponents;
  readonly bodies: Bodies;
  readonly metrics: Metrics;
}

/** A JSON answer, its integers exact. */
export const sendJson = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('content-type', 'application/json; charset=utf-8').send(`${writeJson(body)}\n`);

/** Of a query, as a caller may name it. */
export const wellFormedId = /^[A-Za-z0-9._:-]{1,64}$/;

/** `X-Request-Id` where it is well formed (1 to 64 of `A-Z a-z 0-9 . _ : -`), else one of our own. */
export function queryIdOf(request: FastifyRequest, random: Random): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && wellFormedId.test(given) ? given : random.hex(16);
}
