/** Rows of messages: each message's stand or fall together, and each row knows its message. */
import { excerptOf, hexExcerptOf } from './excerpt.ts';
import { messageRowsMax } from './limits.ts';
import type { DecodedMessages, MessageReject, Messages } from './messages.ts';
import { RowSink } from './row-sink.ts';
import type { DecodeTarget } from './target.ts';
import { UnknownFields } from './unknown-fields.ts';

/** How the values of rejected messages are shown. */
export type MessageText = 'text' | 'binary';

export class MessageRows extends RowSink {
  readonly unknownFields = new UnknownFields();
  readonly #messages: Messages;
  readonly #text: MessageText;
  readonly #rejects: MessageReject[] = [];
  #messageOf: Uint32Array;
  #message = -1;
  /** Rows and unknown fields before the message. */
  #rowsBefore = 0;
  #unknownBefore = 0;
  #failed = false;

  /** @param isUtf8 See `RowSink`. */
  constructor(target: DecodeTarget, messages: Messages, text: MessageText, isUtf8: boolean) {
    const capacity = Math.max(8, messages.count);
    super(target, messages.bytes, capacity, isUtf8);
    this.#messages = messages;
    this.#text = text;
    this.#messageOf = new Uint32Array(capacity);
  }

  /** Before the rows of message `message`, which ascends. */
  open(message: number): void {
    this.#message = message;
    this.#rowsBefore = this.row;
    this.#unknownBefore = this.unknownFields.size;
    this.#failed = false;
  }

  /** Ends the row begun, bytes[from..to). False: the message is rejected; what is left of it need not be read. */
  end(from: number, to: number): boolean {
    const row = this.row;
    if (row - this.#rowsBefore >= messageRowsMax)
      this.fail(null, `the message has more rows than the limit of ${messageRowsMax}`);
    if (!this.settle(from, to)) return this.reject(this.column, this.reason!);
    if (row === this.#messageOf.length) this.#grow();
    this.#messageOf[row] = this.#message;
    return true;
  }

  /** Takes back all rows of the message and rejects it, once. */
  reject(column: string | null, reason: string): false {
    if (this.#failed) return false;
    this.#failed = true;
    this.rewind(this.#rowsBefore);
    this.unknownFields.truncate(this.#unknownBefore);
    const message = this.#message;
    const from = this.#messages.valueStarts[message]!;
    const to = this.#messages.valueEnds[message]!;
    const text = this.#text === 'text' ? excerptOf(this.bytes, from, to) : hexExcerptOf(this.bytes, from, to);
    this.#rejects.push({ message, column, reason, text });
    return false;
  }

  #grow(): void {
    const messageOf = new Uint32Array(this.#messageOf.length * 2);
    messageOf.set(this.#messageOf);
    this.#messageOf = messageOf;
  }

  finish(): DecodedMessages {
    return {
      batch: this.build(),
      messageOf: this.#messageOf.subarray(0, this.row),
      rejects: this.#rejects,
      unknownFields: this.unknownFields.types,
    };
  }
}
