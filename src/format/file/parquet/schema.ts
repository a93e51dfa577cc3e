/** A Parquet schema: the tree of its fields, and what each leaf's values are. */
import { Malformed } from '../../malformed.ts';
import { type Conversion, conversionOf } from './conversion.ts';
import type { ThriftStruct } from './thrift.ts';

/** Groups within groups. */
const depthMax = 64;

export const physicalTypes = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;
export type PhysicalType = (typeof physicalTypes)[number];

export interface ParquetLeaf {
  readonly index: number;
  readonly path: readonly string[];
  readonly physical: PhysicalType;
  /** Of FIXED_LEN_BYTE_ARRAY, in bytes. */
  readonly width: number;
  /** Levels of a value that is there. */
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly conversion: Conversion;
}

export interface ParquetNode {
  readonly name: string;
  readonly repetition: 'required' | 'optional' | 'repeated';
  /** Levels of an entry in which this node is there. */
  readonly definition: number;
  readonly level: number;
  readonly kind: 'group' | 'list' | 'map' | 'leaf';
  /** Of a leaf none. */
  readonly children: readonly ParquetNode[];
  /** All at or below it. */
  readonly leaves: readonly ParquetLeaf[];
}

const repetitions = ['required', 'optional', 'repeated'] as const;

/** @throws Malformed */
export function readSchema(elements: readonly ThriftStruct[]): {
  fields: readonly ParquetNode[];
  leaves: readonly ParquetLeaf[];
} {
  const leaves: ParquetLeaf[] = [];
  let next = 0;
  const take = (): ThriftStruct => {
    const element = elements[next++];
    if (element === undefined) throw new Malformed('a schema that ends too early');
    return element;
  };
  const children = (
    parent: ThriftStruct,
    path: readonly string[],
    definition: number,
    level: number,
  ): ParquetNode[] => {
    if (path.length > depthMax) throw new Malformed(`a schema more than ${depthMax} groups deep`);
    const count = parent.count(5, 0);
    if (count === 0 || count > elements.length - next) throw new Malformed('a group without its fields');
    return Array.from({ length: count }, () => node(path, definition, level));
  };
  const node = (above: readonly string[], definitionAbove: number, levelAbove: number): ParquetNode => {
    const element = take();
    const name = element.text(4);
    const repetition = repetitions[element.count(3)];
    if (repetition === undefined) throw new Malformed('a field of an unknown repetition');
    const path = [...above, name];
    const definition = definitionAbove + (repetition === 'required' ? 0 : 1);
    const level = levelAbove + (repetition === 'repeated' ? 1 : 0);
    const common = { name, repetition, definition, level };
    if (!element.has(1)) {
      const from = leaves.length;
      const parts = children(element, path, definition, level);
      return { ...common, kind: kindOf(element, parts), children: parts, leaves: leaves.slice(from) };
    }
    const physical = physicalTypes[element.count(1)];
    if (physical === undefined) throw new Malformed('a field of an unknown type');
    const width = physical === 'FIXED_LEN_BYTE_ARRAY' ? element.count(2) : 0;
    const leaf: ParquetLeaf = {
      ...{ index: leaves.length, path, physical, width },
      ...{ maxDefinition: definition, maxRepetition: level, conversion: conversionOf(element, physical, width) },
    };
    leaves.push(leaf);
    return { ...common, kind: 'leaf', children: [], leaves: [leaf] };
  };
  const fields = children(take(), [], 0, 0);
  return { fields, leaves };
}

/** No `ConvertedType`. */
const unknownKind = 1000;

/** A list and a map have one repeated child, a map's with a key and a value. */
function kindOf(element: ThriftStruct, children: readonly ParquetNode[]): 'group' | 'list' | 'map' {
  const [child] = children;
  if (children.length !== 1 || child!.repetition !== 'repeated') return 'group';
  const converted = element.count(6, unknownKind);
  const logical = element.structOrNull(10);
  if (converted === 3 || logical?.has(3)) return 'list';
  const isMap = converted === 1 || converted === 2 || logical?.has(2);
  return isMap && child!.children.length === 2 ? 'map' : 'group';
}
