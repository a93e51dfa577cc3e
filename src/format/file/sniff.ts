/** Which format a file has, looked at and not believed by its name. */
import { isUtf8 } from 'node:buffer';
import { fault } from '../../base/fault.ts';
import { sampleSizeBytes } from '../limits.ts';
import { skipSpace, skipValue } from '../scan.ts';
import { openByteStream } from './byte-stream.ts';
import { sniffDialect } from './csv-dialect.ts';
import { damaged, readPart } from './file-part.ts';
import type { FileBytes, FileCompression, FileFormat, FileOptions, FileShape } from './types.ts';

const newline = 10;

/** First bytes of formats that say what they are. */
const magics: readonly (readonly [readonly number[], FileFormat | FileCompression | { readonly unread: string }])[] = [
  [[0x50, 0x41, 0x52, 0x31], 'parquet'],
  [[0x50, 0x41, 0x52, 0x45], { unread: 'an encrypted Parquet file' }],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31, 0, 0], 'arrow'],
  [[0xff, 0xff, 0xff, 0xff], 'arrow'],
  [[0x4f, 0x62, 0x6a, 0x01], 'avro'],
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], { unread: 'compressed with bzip2' }],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], { unread: 'compressed with xz' }],
  [[0x04, 0x22, 0x4d, 0x18], { unread: 'compressed with LZ4' }],
  [[0x50, 0x4b, 0x03, 0x04], { unread: 'a ZIP archive (or an Excel file)' }],
  [[0x4f, 0x52, 0x43], { unread: 'an ORC file' }],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], { unread: 'an SQLite database' }],
];

const magicSizeMax = 8;

/** By the end of the name, where the content alone could be several: a line of numbers is CSV and NDJSON. */
const endings: readonly (readonly [RegExp, FileFormat])[] = [
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
  [/\.(csv|tsv|psv|tab|txt)$/i, 'csv'],
];
const compressionEnding = /\.(gz|gzip|zst|zstd)$/i;

/**
 * What a file is: its format, compression and, for CSV, its dialect. Reads a few megabytes at most.
 * @param options Count for more than what is seen.
 * @throws FaultError UNSUPPORTED for a format, compression or encoding of text that is not read, INVALID_ROWS for a file
 * that is none of these
 */
export async function sniffFile(file: FileBytes, options: FileOptions = {}): Promise<FileShape> {
  checkOptions(options);
  const start = await readPart(file, 0, Math.min(magicSizeMax, file.sizeBytes));
  const found = magics.find(([magic]) => magic.every((byte, index) => start[index] === byte))?.[1] ?? null;
  if (found !== null && typeof found === 'object')
    throw fault('UNSUPPORTED', `${file.name} is ${found.unread}, which cannot be read`, {
      hint: 'decompress or convert it first: CSV, JSON, Parquet, Arrow and Avro are read, text also gzip or zstd',
    });
  const isCompressed = found === 'gzip' || found === 'zstd';
  const format = options.format ?? (isCompressed ? null : (found as FileFormat | null));
  const common = { nested: options.nested ?? 'json', fields: [] } as const;
  if (format === 'parquet' || format === 'arrow' || format === 'avro') {
    if (isCompressed)
      throw fault('UNSUPPORTED', `${file.name} is ${format} inside of ${found}`, { hint: 'decompress it first' });
    return { ...common, format, compression: 'none', dialect: null };
  }
  const compression = isCompressed ? found : 'none';
  const { text, ended } = await readSample(file, compression);
  checkText(file, text, ended);
  const chosen = format ?? textFormat(file, text, ended);
  const dialect = chosen === 'csv' ? sniffDialect(text, ended, file.name, options) : null;
  return { ...common, format: chosen, compression, dialect };
}

function checkOptions({ delimiter, quote }: FileOptions): void {
  for (const [name, mark] of Object.entries({ delimiter, quote }))
    if (mark !== undefined && !(name === 'quote' && mark === '') && !/^[\t -~]$/.test(mark))
      throw fault('INVALID_PARAMETER', `the ${name} ${JSON.stringify(mark.slice(0, 20))} is not one ASCII character`);
  if (delimiter !== undefined && delimiter === quote)
    throw fault('INVALID_PARAMETER', 'the delimiter and the quote are the same character');
}

/** The beginning of a file's text, without a byte order mark. */
export async function readSample(
  file: FileBytes,
  compression: FileCompression,
): Promise<{ text: Uint8Array; ended: boolean }> {
  const stream = openByteStream(file, compression);
  try {
    const bytes = new Uint8Array(
      Math.min(sampleSizeBytes, compression === 'none' ? file.sizeBytes + 1 : sampleSizeBytes),
    );
    const size = await stream.read(bytes, 0, bytes.length);
    const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    return { text: bytes.subarray(from, size), ended: size < bytes.length };
  } finally {
    await stream.close();
  }
}

/** @throws FaultError */
function checkText(file: FileBytes, text: Uint8Array, ended: boolean): void {
  const encoding = encodingOf(text);
  if (encoding !== null)
    throw fault('UNSUPPORTED', `${file.name} is ${encoding} text, and only UTF-8 is read`, {
      hint: `convert it first: iconv -f ${encoding} -t UTF-8`,
    });
  if (text.subarray(0, 4096).includes(0))
    throw damaged(file, 'is no text, and none of the formats that are read (CSV, JSON, Parquet, Arrow, Avro)');
  if (isUtf8(ended ? text : text.subarray(0, text.lastIndexOf(newline) + 1))) return;
  // A few bad bytes are a few bad rows; text of another encoding has them all over.
  const lines = Buffer.from(text.subarray(0, text.lastIndexOf(newline)))
    .toString('latin1')
    .split('\n');
  const bad = lines.filter(line => !isUtf8(Buffer.from(line, 'latin1'))).length;
  if (bad === 0 || bad * 100 < lines.length) return;
  throw fault('UNSUPPORTED', `${file.name} is not UTF-8 text`, {
    hint: 'convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8',
  });
}

function encodingOf(text: Uint8Array): string | null {
  const [first, second] = text;
  if (first === 0xff && second === 0xfe) return 'UTF-16LE';
  if (first === 0xfe && second === 0xff) return 'UTF-16BE';
  const zeros = (from: number): number =>
    text.subarray(0, 1000).filter((byte, at) => at % 2 === from && byte === 0).length;
  const half = Math.min(1000, text.length) / 2;
  if (half < 2) return null;
  if (zeros(1) > half * 0.7 && zeros(0) < half * 0.3) return 'UTF-16LE';
  return zeros(0) > half * 0.7 && zeros(1) < half * 0.3 ? 'UTF-16BE' : null;
}

function textFormat(file: FileBytes, text: Uint8Array, ended: boolean): FileFormat {
  const name = file.name.replace(compressionEnding, '');
  const byName = endings.find(([ending]) => ending.test(name))?.[1] ?? null;
  if (byName !== null) return byName;
  // Part of no token: no scanner reads past it.
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  const at = skipSpace(bytes, 0, true);
  if (bytes[at] === 123) return linesOf(bytes, at, ended) ? 'ndjson' : 'json';
  if (bytes[at] === 91) {
    const next = bytes[skipSpace(bytes, at + 1, true)];
    if (next === 123 || next === 93) return 'json';
  }
  return /\.json$/i.test(name) ? 'json' : 'csv';
}

/** Whether objects stand one on each line. */
function linesOf(bytes: Uint8Array, at: number, ended: boolean): boolean {
  const end = skipValue(bytes, at, true);
  if (end < 0) return !ended && bytes.indexOf(newline) < 0;
  const lineEnd = bytes.indexOf(newline, at);
  if (lineEnd >= 0 && lineEnd < end) return false;
  const next = skipSpace(bytes, end, true);
  return next >= bytes.length - 1 || (bytes[next] === 123 && lineEnd >= 0 && lineEnd < next);
}
