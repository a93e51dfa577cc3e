/** A process's place in a cluster: it registers with the controller, says that it lives, and says when it goes. */
import { type FaultCode, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { MemberCalls, MemberState, Registration } from '../wire/cluster-calls.ts';

export interface JoinComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly members: Client<MemberCalls>;
  /** Each time that the controller learns of this process: it knows nothing else of it then. */
  onRegistered(): void;
}

/** Trying again changes nothing about these. */
const fatal: readonly FaultCode[] = ['UNSUPPORTED', 'FORBIDDEN', 'INVALID_REQUEST', 'LIMIT_EXCEEDED'];

/** Of a controller that did not say; it says with the first registration. */
const heartbeatMsDefault = 1_000;

export interface Joined {
  /** Null: the controller does not know this process, or has not been reached since it last answered. */
  readonly state: MemberState | null;
  /** Why it is not; null where it is. */
  readonly trouble: string | null;
  /** Resolves after `leave`. Rejects where this process can never be a part of the cluster. */
  readonly ended: Promise<void>;
  /** Queries go elsewhere from now on. */
  leave(): Promise<void>;
}

export function join(registration: Registration, { clock, log, members, onRegistered }: JoinComponents): Joined {
  const { memberId, incarnation } = registration;
  const ref = { memberId, incarnation };
  const stopping = new AbortController();
  let state: MemberState | null = null;
  let trouble: string | null = 'it has not registered with the controller yet';
  let heartbeatMs = heartbeatMsDefault;
  let isRegistered = false;
  let drained = false;

  const beat = async (): Promise<void> => {
    if (!isRegistered) {
      ({ heartbeatMs } = await members.call('register', registration, { signal: stopping.signal }));
      isRegistered = true;
      onRegistered();
    }
    ({ state } = await members.call('heartbeat', ref, { signal: stopping.signal }));
    drained ||= state === 'drained';
    if (trouble !== null) log.info('a part of the cluster', { id: memberId });
    trouble = null;
  };

  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await beat();
      } catch (error) {
        if (stopping.signal.aborted) return;
        const { code, message } = toFault(error);
        if (fatal.includes(code)) throw error;
        if (trouble === null) log.warn('the controller does not answer', { reason: message });
        trouble = message;
        state = null;
        // The controller was started again. One that drained this server has let it go for good.
        if (code === 'NOT_FOUND' && !drained) isRegistered = false;
      }
      await clock.sleep(heartbeatMs, stopping.signal).catch(() => {});
    }
  };

  const ended = keep();
  ended.catch(() => {});
  return {
    get state() {
      return state;
    },
    get trouble() {
      return trouble;
    },
    ended,
    async leave() {
      await members.call('leave', ref).catch(() => {});
      stopping.abort();
      await ended.catch(() => {});
    },
  };
}
