/** Thrown inside a decoder by bytes that cannot be a message, caught at the message's boundary: it becomes a reject. */
export class Malformed extends Error {}

/** What a message is rejected for when reading it threw. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
