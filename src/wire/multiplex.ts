import type { Port } from './call.ts';

/**
 * Several ports in one, told apart by name: `docs/wire.md`. Both sides open a channel under the same name, one to `serve`
 * and the other to `connect`; each name once. Channels that are opened in the turn in which the multiplex is made miss
 * nothing; a message on a channel that is not open is answered by closing it, so that no call waits for ever.
 */
export interface Multiplex {
  channel(name: string): Port;
  /** Closes the port, and with it all channels. */
  close(): void;
}

interface Channel {
  onMessage: ((message: unknown) => void) | null;
  onClose: (() => void) | null;
  closed: boolean;
  readonly early: unknown[];
}

/** Messages kept for a channel that is open and that nobody listens on yet; more, and nobody ever will. */
const earlyCountMax = 1_000;

export function multiplex(port: Port): Multiplex {
  const channels = new Map<string, Channel>();
  let closed = false;

  const end = (channel: Channel): void => {
    if (channel.closed) return;
    channel.closed = true;
    channel.onClose?.();
  };

  const receive = (envelope: unknown): void => {
    const [name, message] = Array.isArray(envelope) ? envelope : [];
    if (typeof name !== 'string') {
      port.close('a message of no channel');
      return;
    }
    const isMessage = (envelope as readonly unknown[]).length > 1;
    const channel = channels.get(name);
    if (!isMessage) {
      if (channel) end(channel);
    } else if (!channel) port.post([name]);
    else if (channel.closed) return;
    else if (channel.onMessage) channel.onMessage(message);
    else if (channel.early.push(message) > earlyCountMax) port.close(`nobody listens on channel ${name}`);
  };

  // A microtask later: whoever makes this opens channels first.
  queueMicrotask(() =>
    port.listen(receive, () => {
      closed = true;
      for (const channel of channels.values()) end(channel);
    }),
  );

  return {
    channel(name) {
      if (channels.has(name)) throw new Error(`channel ${name} is open already, or was`);
      const channel: Channel = { onMessage: null, onClose: null, closed, early: [] };
      channels.set(name, channel);
      return {
        post(message, transfer) {
          if (!channel.closed) port.post([name, message], transfer);
        },
        room: () => port.room?.() ?? null,
        listen(message, ended) {
          channel.onMessage = message;
          channel.onClose = ended;
          for (const waiting of channel.early.splice(0)) message(waiting);
          if (channel.closed) ended();
        },
        close(reason) {
          if (reason !== undefined) port.close(reason);
          if (channel.closed) return;
          port.post([name]);
          end(channel);
        },
      };
    },
    close: () => port.close(),
  };
}
