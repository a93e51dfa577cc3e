/** Weir's SQL as the editor knows it: what to colour, what to offer. */
import { SQLDialect } from '@codemirror/lang-sql';

const keywords = `select from where group by having order limit offset distinct as and or not in is null true false between
like ilike case when then else end asc desc nulls first last filter interval cast with union all except intersect exists
join inner left right full outer cross on using insert into values create drop table if describe show tables explain analyze
alter add column primary key default over partition rows range`;

const types = `boolean int integer bigint long smallint real float double precision decimal numeric timestamp date time string
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
  help('COUNT', '(*) or (x)', 'Rows, or those where x is not null.'),
  help('SUM', '(x)', 'Exact sum of the values that are not null.'),
  help('AVG', '(x)', 'Mean of the values that are not null.'),
  help('MIN', '(x)', 'Smallest value.'),
  help('MAX', '(x)', 'Largest value.'),
  help('DATE_TRUNC', "('minute', ts)", 'Start of the second, minute, hour, day, week, month, quarter or year.'),
  help('EXTRACT', '(HOUR FROM ts)', 'One field of a time.'),
  help('NOW', '()', 'Time at which the query began.'),
  help('COALESCE', '(a, b, …)', 'The first that is not null.'),
  help('NULLIF', '(a, b)', 'Null where a = b, else a.'),
  help('CAST', '(x AS type)', 'x as another type.'),
  help('ABS', '(x)', 'Without its sign.'),
  help('ROUND', '(x, digits)', 'To the nearest; digits may be left out.'),
  help('FLOOR', '(x)', 'Largest integer not above x.'),
  help('CEIL', '(x)', 'Smallest integer not below x.'),
  help('SQRT', '(x)', 'Square root.'),
  help('POWER', '(x, y)', 'x to the power of y.'),
  help('MOD', '(x, y)', 'Remainder, with the sign of x.'),
  help('LN', '(x)', 'Natural logarithm.'),
  help('EXP', '(x)', 'e to the power of x.'),
  help('GREATEST', '(a, b, …)', 'The largest that is not null.'),
  help('LEAST', '(a, b, …)', 'The smallest that is not null.'),
  help('LOWER', '(text)', 'In lower case.'),
  help('UPPER', '(text)', 'In upper case.'),
  help('LENGTH', '(text)', 'Number of characters.'),
  help('SUBSTRING', '(text, from, count)', 'Part of a text; positions begin at 1.'),
  help('TRIM', '(text)', 'Without the blanks at both ends.'),
  help('REPLACE', '(text, from, to)', 'Every occurrence replaced.'),
  help('CONCAT', '(a, b, …)', 'All in one text; nulls are skipped.'),
];
