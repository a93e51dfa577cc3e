/** The frame that clients of a schema registry put before a value: a zero byte, then the schema's id. */

/** Magic byte 0, id of 32 bits (big-endian). */
export const frameSizeBytes = 5;

/** The id; -1 where the value, bytes[from..to), has no frame. */
export function schemaIdOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < frameSizeBytes || bytes[from] !== 0) return -1;
  return bytes[from + 1]! * 0x1000000 + ((bytes[from + 2]! << 16) | (bytes[from + 3]! << 8) | bytes[from + 4]!);
}
