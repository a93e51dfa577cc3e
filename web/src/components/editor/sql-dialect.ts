/** Weir's SQL as the editor knows it: what to colour, what to offer. */
import { SQLDialect } from '@codemirror/lang-sql';

const keywords = `select from where group by having order limit offset fetch distinct as and or not in is null true false
between like ilike escape case when then else end asc desc nulls first last filter interval cast with if exists insert into
values default create drop table describe show tables explain`;

const types = `boolean int integer bigint long smallint real float double precision decimal numeric timestamp date string
varchar text uuid json bytes bytea`;

export const weirDialect = SQLDialect.define({
  keywords,
  types,
  caseInsensitiveIdentifiers: true,
  specialVar: '$',
  operatorChars: '*+-%<>!=&|~^/:',
});

export const keywordList = keywords.split(/\s+/);

export interface FunctionHelp {
  readonly name: string;
  readonly signature: string;
  readonly says: string;
}

const help = (name: string, signature: string, says: string): FunctionHelp => ({ name, signature, says });

export const functionHelp: readonly FunctionHelp[] = [
  help('COUNT', '(*) or (x) or (DISTINCT x)', 'Rows, or those where x is not null, or its distinct values.'),
  help('SUM', '(x)', 'Exact sum of the values that are not null.'),
  help('AVG', '(x)', 'Mean of the values that are not null.'),
  help('MIN', '(x)', 'Smallest value.'),
  help('MAX', '(x)', 'Largest value.'),

  help('DATE_TRUNC', "('minute', ts)", 'Start of the second, minute, hour, day, week, month, quarter or year.'),
  help('DATE_BIN', "(INTERVAL '5 minutes', ts)", 'Start of the stride that holds the time.'),
  help('EXTRACT', '(HOUR FROM ts)', 'One field of a time.'),
  help('NOW', '()', 'Time at which the query began.'),
  help('CURRENT_DATE', '', 'Day on which the query began, in UTC.'),
  help('TO_TIMESTAMP', '(seconds)', 'The time so many seconds after 1970.'),
  help('EPOCH_MS', '(ts)', 'Milliseconds since 1970; of a number, the time.'),

  help('COALESCE', '(a, b, …)', 'The first that is not null.'),
  help('NULLIF', '(a, b)', 'Null where a = b, else a.'),
  help('GREATEST', '(a, b, …)', 'The largest that is not null.'),
  help('LEAST', '(a, b, …)', 'The smallest that is not null.'),
  help('CAST', '(x AS type)', 'x as another type.'),

  help('ABS', '(x)', 'Without its sign.'),
  help('ROUND', '(x, digits)', 'To the nearest; digits may be left out.'),
  help('TRUNC', '(x, digits)', 'Towards zero; digits may be left out.'),
  help('FLOOR', '(x)', 'Largest integer not above x.'),
  help('CEIL', '(x)', 'Smallest integer not below x.'),
  help('SIGN', '(x)', '-1, 0 or 1.'),
  help('MOD', '(x, y)', 'Remainder, with the sign of x.'),
  help('SQRT', '(x)', 'Square root.'),
  help('POWER', '(x, y)', 'x to the power of y.'),
  help('EXP', '(x)', 'e to the power of x.'),
  help('LN', '(x)', 'Natural logarithm.'),
  help('LOG10', '(x)', 'Logarithm to base 10.'),
  help('LOG2', '(x)', 'Logarithm to base 2.'),

  help('LENGTH', '(text)', 'Number of characters.'),
  help('LOWER', '(text)', 'In lower case.'),
  help('UPPER', '(text)', 'In upper case.'),
  help('TRIM', '(text)', 'Without the blanks at both ends.'),
  help('SUBSTRING', '(text, from, count)', 'Part of a text; positions begin at 1.'),
  help('LEFT', '(text, count)', 'The first characters; of a negative count, all but the last.'),
  help('RIGHT', '(text, count)', 'The last characters; of a negative count, all but the first.'),
  help('SPLIT_PART', '(text, delimiter, n)', 'The part of that number, from 1; -1 is the last.'),
  help('STRPOS', '(text, part)', 'Position of the part, from 1; 0 where it is not.'),
  help('STARTS_WITH', '(text, part)', 'Does the text start with it?'),
  help('CONTAINS', '(text, part)', 'Is it in the text?'),
  help('REPLACE', '(text, from, to)', 'Every occurrence replaced.'),
  help('CONCAT', '(a, b, …)', 'All in one text; nulls are skipped.'),
  help('CONCAT_WS', '(separator, a, b, …)', 'As CONCAT, with a separator between.'),
  help('LPAD', '(text, length, fill)', 'Filled up at the start, or cut.'),
  help('RPAD', '(text, length, fill)', 'Filled up at the end, or cut.'),
  help('REVERSE', '(text)', 'Characters in reverse order.'),
  help('MD5', '(text)', 'MD5 of its UTF-8 bytes, in hexadecimal.'),
];
