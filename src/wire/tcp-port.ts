import type { Socket } from 'node:net';
import { FaultError, fault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Port } from './call.ts';
import { Outbox } from './outbox.ts';
import { encodeMessage, heartbeat, MessageReader } from './tcp-message.ts';

/**
 * Streams are not asked for their next frame while more than this waits to be written: enough to keep a fast network busy
 * for some milliseconds. Beyond it a connection holds what answers of calls add, and one frame for each stream.
 */
const outputRoomSizeBytes = 16 << 20;

/** Answers and calls cannot be held back; a peer for whom so much waits, two of the largest messages, reads too slowly for what it does. */
const outputSizeBytesMax = 1 << 30;

/** Signs of life within the limit of silence. */
const beatsPerSilence = 4;

/** From a message's first byte to its last: the largest one takes as long at 9 MB/s. A peer that drips bytes is no peer. */
const messageMsMax = 60_000;

/** A reason may name what the peer sent, and a log line is no place for megabytes of that. */
const reasonLengthMax = 200;

export interface TcpPortSettings {
  /** For the log. */
  readonly peer: string;
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells whether something held so many times on end, without a change of what it held of. */
function onEnd(times: number): (holds: boolean, of?: unknown) => boolean {
  let count = 0;
  let last: unknown;
  return (holds, of) => {
    count = !holds ? 0 : of === last ? count + 1 : 1;
    last = of;
    return count >= times;
  };
}

/**
 * Messages over a socket that has greeted. A peer that is silent, does not read, or sends what is no message is cut off,
 * with the reason in the log. Silence is counted in beats of our own and not in time, so that a pause of this process is
 * not taken for one of the peer's.
 *
 * Nothing is read before there is a listener. Closing lets what was posted leave first. Bytes in `transfer` are written
 * from where they are and must not be touched again; all others are copied.
 */
export function tcpPort(socket: Socket, { peer, silenceMs, clock, log }: TcpPortSettings): Port {
  const beatMs = silenceMs / beatsPerSilence;
  const outbox = new Outbox(socket, outputRoomSizeBytes);
  const gone = new AbortController();
  let onMessage: ((message: unknown) => void) | null = null;
  let onClose: (() => void) | null = null;
  let closed = false;
  let heard = false;

  const close = (): void => {
    if (closed) return;
    closed = true;
    onClose?.();
  };
  const cut = (reason: string): void => {
    if (!closed)
      log.warn('a connection to another process was cut', { peer, reason: reason.slice(0, reasonLengthMax) });
    outbox.clear();
    socket.destroy();
    close();
  };

  const reader = new MessageReader(message => {
    if (!closed) onMessage?.(message);
  });
  const read = (bytes: Uint8Array): void => {
    heard = true;
    if (closed) return;
    try {
      reader.push(bytes);
    } catch (error) {
      // Whether the message is at fault or who took it, the process lives on without this peer.
      cut(error instanceof FaultError ? error.message : `a message could not be taken: ${error}`);
    }
  };
  socket.on('error', error => cut(error.message));
  socket.on('end', () => {
    if (reader.isWithin) cut('it ended within a message');
    outbox.clear();
    close();
  });
  socket.on('close', () => {
    outbox.clear();
    gone.abort(fault('CANCELLED', 'the connection is closed'));
    close();
  });

  /** Until the socket is closed; a port that was closed has the time of a silence to send what is left. */
  const keepAlive = async (): Promise<void> => {
    const isSilent = onEnd(beatsPerSilence);
    const isClosing = onEnd(beatsPerSilence);
    const isStuck = onEnd(beatsPerSilence);
    const isDripping = onEnd(Math.ceil(messageMsMax / beatMs));
    for (;;) {
      try {
        await clock.sleep(beatMs, gone.signal);
      } catch {
        return;
      }
      if (isSilent(onMessage !== null && !heard)) return cut(`it was silent for ${silenceMs} ms`);
      if (isStuck(outbox.sizeBytes > 0, outbox.writtenCount)) return cut(`it did not read for ${silenceMs} ms`);
      if (isClosing(closed && outbox.sizeBytes === 0)) return cut(`it did not close within ${silenceMs} ms`);
      if (isDripping(reader.isWithin, reader.messageCount)) return cut(`a message took longer than ${messageMsMax} ms`);
      heard = false;
      if (!closed) outbox.push([heartbeat]);
    }
  };
  void keepAlive();

  return {
    post(message, transfer) {
      if (closed) return;
      outbox.push(encodeMessage(message, transfer));
      if (outbox.sizeBytes > outputSizeBytesMax)
        cut(`${outbox.sizeBytes} bytes wait for it to read, more than ${outputSizeBytesMax}`);
    },
    room: () => (closed ? null : outbox.room()),
    listen(message, ended) {
      onMessage = message;
      onClose = ended;
      if (closed) ended();
      else socket.on('data', read);
    },
    close(reason) {
      if (closed) return;
      if (reason !== undefined) return cut(reason);
      // What still comes is read and dropped, so that the end behind it is seen.
      socket.resume();
      outbox.end();
      close();
    },
  };
}
