/** The sink of a type. */
import { isPooled, type Type } from '../column/type.ts';
import { createFixedSink } from './fixed-sinks.ts';
import { createPooledSink } from './pooled-sinks.ts';
import type { Sink } from './sink.ts';
import { createSpelledSink } from './spelled-sinks.ts';
import type { TimeSpelling } from './time-spelling.ts';

/** @param times How the input spells times, for a column of them. */
export function createSink(type: Type, capacity: number, times: TimeSpelling | null = null): Sink {
  if (times !== null && (type.name === 'TIMESTAMP' || type.name === 'DATE'))
    return createSpelledSink(type, capacity, times);
  return isPooled(type) ? createPooledSink(type, capacity) : createFixedSink(type, capacity);
}
