/** How far input is followed before it is refused. */

/** One row's text; Kafka's default message size. A larger "row" is nearly always a file with its line ends lost. */
export const rowSizeBytesMax = 1 << 20;

/** Objects and arrays inside one another. PostgreSQL's default stack takes some thousands; real events stay below ten. */
export const nestingDepthMax = 128;

/** How much of a bad row is kept to show what was wrong with it. */
export const excerptSizeBytes = 1024;

/** Rejects kept one by one; further ones are only counted, so that a wrong file cannot fill the memory with reasons. */
export const rejectsKeptMax = 10_000;

/** Distinct keys whose meaning is remembered within a batch; rows with ever new keys look each further one up. */
export const keysRememberedMax = 4_096;

/** Characters of a value that a reason quotes. */
export const quotedLengthMax = 64;

/** Text longer than this is no number, time or date: it is not even looked at. */
export const scalarTextSizeMax = 512;

/** Rows of one message: some hundred times what batching producers put in one; a few bytes can claim billions. */
export const messageRowsMax = 1 << 20;

/** Fields told of in one batch: a table gains a few at a time, and data used as keys must not become columns. */
export const unknownFieldsMax = 100;

/** Characters of an unknown field's name; longer ones are no names. */
export const unknownFieldNameSizeMax = 128;

/** Items of all arrays and maps of one Avro message. Items without bytes (nulls, empty records) cost time, not size. */
export const avroItemsMax = 1 << 20;

/** Schemas kept compiled by one decoder; a topic has a few, garbage may name any. */
export const schemasKeptMax = 256;

/** Schemas asked for at a time: a registry is one small server. */
export const schemasAskedMax = 8;

/** Of a DECIMAL as a binary integer: 38 digits take 16; producers pad to more, but not to this. */
export const decimalSizeBytesMax = 64;

/** Text and bytes of all rows of one Arrow message: some bytes can name a large dictionary entry a million times. */
export const arrowTextSizeMax = 1 << 26;

/** Rows of one batch of a file: a block's. */
export const batchRowsMax = 1 << 16;

/** Text of a file that is looked at together: several of the longest rows. A row is read again where it was cut off. */
export const textWindowSizeBytes = 4 * rowSizeBytesMax;

/** Of a file's beginning, when its table is proposed; some ten thousand rows. */
export const sampleSizeBytes = 4 << 20;

/** Rows of a sample. */
export const sampleRowsMax = 20_480;

/** Files that a proposal looks into: parts of one data set are alike. */
export const sampleFilesMax = 16;

/** Columns that a file may propose: keys that are data, flattened, must not become columns. */
export const fileColumnsMax = 1000;

/** Text that is cast from one type to another in one batch of typed columns: a dictionary's entry can be named again and again. */
export const castTextSizeMax = 1 << 28;

/** Rows of one pushed Arrow stream: of a few bytes each, more than any body holds; rows of nulls take none. */
export const pushRowsMax = 1 << 22;

/** Text that is made of one pushed Arrow stream: JSON, entries of dictionaries, what is compressed. */
export const pushTextSizeMax = 1 << 27;

/** Of one message of an Arrow file, in memory whole: its writers make batches of some 65,536 rows. */
export const arrowMessageSizeMax = 1 << 29;
