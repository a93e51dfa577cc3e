/**
 * Before the first message both sides of a connection prove that they know one secret, without sending it: `docs/wire.md`
 * has the bytes and what they are safe against.
 */
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { type FaultError, fault } from '../base/fault.ts';
import type { Random } from '../base/seams.ts';

/** Of what a hash function gives: shorter ones can be guessed from a proof that somebody listened to. */
export const secretSizeBytesMin = 16;

/** More often costs for nothing; more seldom, and what is down is found when nobody asks any more. */
export const silenceMsMin = 100;
export const silenceMsMax = 60_000;

const magic = 'WEIR';
const version = 1;
const secretFlag = 1;
const nonceSizeBytes = 32;
const proofSizeBytes = 32;
const fields = { version: 4, flags: 6, silenceMs: 8, nonce: 12 } as const;
export const helloSizeBytes = fields.nonce + nonceSizeBytes;

export interface Greeting {
  readonly role: 'client' | 'server';
  /** Null: none. Both sides have one, or neither. */
  readonly secret: Uint8Array | null;
  readonly silenceMs: number;
  /** Of the TLS session; empty without TLS. */
  readonly binding: Uint8Array;
  /** Its nonces must not be guessed: a source fit for cryptography. */
  readonly random: Random;
}

const refused = (why: string, hint: string): FaultError => fault('FORBIDDEN', why, { hint });
const oneSecretHint = 'give both sides the same secret';
const strangerHint = 'see to the address, and that both sides use TLS or neither does';

/**
 * Greets over a socket that nobody reads yet, and leaves unread what follows. Takes as long as the other side does: who
 * calls it destroys the socket when that is too long.
 * @returns silenceMs, as both sides agree
 * @throws FaultError FORBIDDEN (secrets), CORRUPT_FRAME (another protocol), UNSUPPORTED (another version), UNAVAILABLE (closed)
 */
export async function greet(socket: Socket, greeting: Greeting): Promise<number> {
  const { role, secret, silenceMs, random } = greeting;
  const own = helloOf(secret !== null, silenceMs, random);
  const proofOf = (from: Greeting['role'], other: Uint8Array): Buffer => {
    const [client, server] = role === 'client' ? [own, other] : [other, own];
    const hmac = createHmac('sha256', secret ?? new Uint8Array()).update(`weir wire 1 ${from}`);
    return hmac.update(client).update(server).update(greeting.binding).digest();
  };
  const check = (proof: Uint8Array, other: Uint8Array, from: Greeting['role']): void => {
    if (!timingSafeEqual(proof, proofOf(from, other)))
      throw refused('the other side has another secret', oneSecretHint);
  };
  if (role === 'client') {
    socket.write(own);
    const other = await take(socket, helloSizeBytes, strangerHint);
    const otherSilenceMs = silenceOf(other, secret !== null);
    socket.write(proofOf('client', other));
    check(await take(socket, proofSizeBytes, oneSecretHint), other, 'server');
    return Math.max(silenceMs, otherSilenceMs);
  }
  const other = await take(socket, helloSizeBytes, strangerHint);
  // Said before the other side is judged, so that it, too, can see and say what does not fit; nothing in it is secret.
  if (isHello(other)) socket.write(own);
  const otherSilenceMs = silenceOf(other, secret !== null);
  check(await take(socket, proofSizeBytes, oneSecretHint), other, 'client');
  socket.write(proofOf('server', other));
  return Math.max(silenceMs, otherSilenceMs);
}

function helloOf(hasSecret: boolean, silenceMs: number, random: Random): Buffer {
  const hello = Buffer.alloc(helloSizeBytes);
  hello.write(magic, 'latin1');
  hello.writeUInt16LE(version, fields.version);
  hello.writeUInt16LE(hasSecret ? secretFlag : 0, fields.flags);
  hello.writeUInt32LE(silenceMs, fields.silenceMs);
  hello.write(random.hex(2 * nonceSizeBytes), fields.nonce, 'hex');
  return hello;
}

const isHello = (hello: Buffer): boolean => hello.toString('latin1', 0, fields.version) === magic;

/** Judges the other side's hello; gives its silenceMs. */
function silenceOf(hello: Buffer, hasSecret: boolean): number {
  if (!isHello(hello))
    throw fault('CORRUPT_FRAME', 'the other side does not speak the protocol between processes of Weir', {
      hint: strangerHint,
    });
  const otherVersion = hello.readUInt16LE(fields.version);
  if (otherVersion !== version)
    throw fault('UNSUPPORTED', `the other side speaks version ${otherVersion} of the protocol, this one ${version}`, {
      hint: 'run the same version of Weir on both sides',
    });
  const flags = hello.readUInt16LE(fields.flags);
  const silenceMs = hello.readUInt32LE(fields.silenceMs);
  if (flags > secretFlag || silenceMs < silenceMsMin || silenceMs > silenceMsMax)
    throw fault('CORRUPT_FRAME', 'the other side greets with fields that are out of bounds');
  const otherHasSecret = flags === secretFlag;
  if (otherHasSecret !== hasSecret)
    throw refused(
      hasSecret
        ? 'the other side has no secret, and this one does'
        : 'the other side asks for a secret, and this one has none',
      oneSecretHint,
    );
  return silenceMs;
}

/** Exactly so many bytes; what follows stays in the socket, which stops reading on its own when nobody takes it. */
function take(socket: Socket, sizeBytes: number, hint: string): Promise<Buffer> {
  const events = ['readable', 'end', 'close'] as const;
  return new Promise((resolve, reject) => {
    const settle = (bytes: Buffer | null): void => {
      for (const event of events) socket.off(event, attempt);
      if (bytes) resolve(bytes);
      else reject(fault('UNAVAILABLE', 'the other side closed the connection in the greeting', { hint }));
    };
    const attempt = (): void => {
      const bytes: Buffer | null = socket.read(sizeBytes);
      if (bytes?.length === sizeBytes) settle(bytes);
      else if (bytes !== null || socket.readableEnded || socket.destroyed) settle(null);
    };
    // Listening until there is enough, and not anew for each piece: that alone would say `readable` again, for ever.
    for (const event of events) socket.on(event, attempt);
    attempt();
  });
}
