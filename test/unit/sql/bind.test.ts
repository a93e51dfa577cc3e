import { describe, expect, test } from 'vitest';
import type { Value } from '../../../src/column/type.ts';
import { bind, checkFault, nowMs, planOf } from './fixture.ts';

describe('names', () => {
  test.each([
    ['SELECT mercant FROM payments', 'UNKNOWN_COLUMN 1:8 unknown column mercant (did you mean merchant?)'],
    ['SELECT x.merchant FROM payments p', 'UNKNOWN_TABLE 1:8 unknown table x in x.merchant (did you mean p?)'],
    ['SELECT p.nothing_like_it FROM payments p', 'UNKNOWN_COLUMN 1:8 unknown column p.nothing_like_it'],
    ['SELECT x.* FROM payments', 'UNKNOWN_TABLE 1:8 unknown table x in x.* (FROM has payments)'],
    [
      'SELECT merchant',
      'UNKNOWN_COLUMN 1:8 unknown column merchant: there is no FROM (write a string in single quotes)',
    ],
    ['SELECT *', 'SYNTAX_ERROR 1:8 SELECT * needs a FROM'],
    ['SELECT 1 FROM paymets', 'UNKNOWN_TABLE 1:15 unknown table paymets (did you mean payments?)'],
    ['SELECT 1 FROM nope', 'UNKNOWN_TABLE 1:15 unknown table nope (SHOW TABLES lists the tables there are)'],
    ['SELECT 1 FROM queries', 'UNKNOWN_TABLE 1:15 unknown table queries (did you mean system.queries?)'],
    ['SELECT 1 FROM system.querys', 'UNKNOWN_TABLE 1:15 unknown table system.querys (did you mean system.queries?)'],
    ['SELECT "NAME" FROM mixed', 'AMBIGUOUS_NAME 1:8 column NAME is ambiguous (write one of "Name", "name" exactly)'],
    [
      'SELECT a FROM (SELECT 1 AS a, 2 AS a) s',
      'AMBIGUOUS_NAME 1:8 column a is ambiguous (give the columns different names)',
    ],
    [
      'SELECT fee AS f, rate AS f FROM payments ORDER BY f',
      'AMBIGUOUS_NAME 1:51 column f is ambiguous (several outputs have that name: give them different aliases)',
    ],
    ['SELECT lowr(merchant) FROM payments', 'UNKNOWN_FUNCTION 1:8 unknown function lowr (did you mean lower?)'],
    ['SELECT cuont(merchant) FROM payments', 'UNKNOWN_FUNCTION 1:8 unknown function cuont (did you mean count?)'],
    [
      'SELECT fee FROM payments ORDER BY 2',
      'UNKNOWN_COLUMN 1:35 ORDER BY position 2 is not in the select list (it has 1 column)',
    ],
    [
      'SELECT fee FROM payments GROUP BY 0',
      'UNKNOWN_COLUMN 1:35 GROUP BY position 0 is not in the select list (it has 1 column)',
    ],
    [
      'SELECT 1 FROM payments AS p(a,b,c,d,e,f,g,h,i,j,k,l,m)',
      'SYNTAX_ERROR 1:53 p has 12 columns, and 13 names are given',
    ],
    [
      'SELECT (SELECT p.fee FROM mixed) FROM payments p',
      'UNSUPPORTED 1:16 p.fee belongs to the query around: correlated subqueries are not supported yet',
    ],
    ['SELECT 1 FROM payments, mixed', 'UNSUPPORTED 1:25 joins are not supported yet'],
  ])('%s', (sql, want) => checkFault(sql, want));

  test('exact case first, then any case if only one fits; public is where tables are', () => {
    for (const sql of [
      'SELECT Merchant FROM PAYMENTS',
      'SELECT "MERCHANT" FROM "Payments"',
      'SELECT Public.payments.merchant FROM public.payments',
      'SELECT p.merchant FROM payments p',
    ])
      expect(planOf(sql).columns).toEqual([{ name: 'merchant', type: { name: 'STRING' } }]);
  });
});

describe('types', () => {
  test.each([
    [
      'SELECT merchant + 1 FROM payments',
      'TYPE_MISMATCH 1:17 operator does not exist: STRING + INT (CAST the STRING to a number, or the number to STRING)',
    ],
    [
      'SELECT * FROM payments WHERE merchant = 5',
      'TYPE_MISMATCH 1:39 operator does not exist: STRING = INT (CAST the STRING to a number, or the number to STRING)',
    ],
    [
      'SELECT * FROM payments WHERE ts > 5',
      'TYPE_MISMATCH 1:33 operator does not exist: TIMESTAMP > INT (CAST one side to the type of the other)',
    ],
    ['SELECT * FROM payments WHERE amount', 'TYPE_MISMATCH 1:30 argument of WHERE must be BOOLEAN, not LONG'],
    ['SELECT NOT amount FROM payments', 'TYPE_MISMATCH 1:12 argument of NOT must be BOOLEAN, not LONG'],
    [
      'SELECT extra = extra FROM payments',
      'TYPE_MISMATCH 1:14 operator does not exist: JSON = JSON (CAST one side to the type of the other)',
    ],
    [
      "SELECT amount LIKE '1%' FROM payments",
      'TYPE_MISMATCH 1:15 operator does not exist: LONG LIKE a literal (CAST one side to the type of the other)',
    ],
    ['SELECT merchant LIKE country FROM payments', 'UNSUPPORTED 1:22 the pattern of LIKE must be a constant'],
    [
      "SELECT merchant LIKE 'a\\' FROM payments",
      'INVALID_LITERAL 1:22 LIKE pattern must not end with its escape character',
    ],
    [
      "SELECT merchant LIKE 'a' ESCAPE 'xy' FROM payments",
      'INVALID_LITERAL 1:33 an escape of 2 characters; at most one',
    ],
    [
      'SELECT amount IN (1, paid) FROM payments',
      'TYPE_MISMATCH 1:22 operator does not exist: LONG IN BOOLEAN (CAST one side to the type of the other)',
    ],
    [
      'SELECT CASE WHEN paid THEN 1 ELSE merchant END FROM payments',
      'TYPE_MISMATCH 1:35 CASE types INT and STRING cannot be matched (CAST one to the type of the other)',
    ],
    ['SELECT lower(1) FROM payments', 'TYPE_MISMATCH 1:8 function lower(INT) does not exist (there is lower(STRING))'],
    ['SELECT sum(merchant) FROM payments', /^TYPE_MISMATCH 1:8 function sum\(STRING\) does not exist \(there is sum/],
    ['SELECT paid::timestamp FROM payments', 'TYPE_MISMATCH 1:8 cannot cast type BOOLEAN to TIMESTAMP'],
    [
      "SELECT * FROM payments WHERE ts > 'garbage'",
      /^INVALID_LITERAL 1:35 invalid input syntax for type TIMESTAMP: "garbage"/,
    ],
    ["SELECT * FROM payments WHERE amount = '1.5'", /^INVALID_LITERAL 1:39 invalid input syntax for type LONG: "1.5"/],
    ["SELECT INTERVAL '1 parsec'", /^INVALID_LITERAL 1:8 .*parsec/],
    ['SELECT 1::strin', 'INVALID_DEFINITION 1:11 unknown type STRIN (did you mean STRING?)'],
    ['SELECT 1::decimal(40)', 'INVALID_DEFINITION 1:11 DECIMAL precision 40 must be between 1 and 38'],
    ['SELECT fee FROM payments LIMIT -1', 'INVALID_LITERAL 1:32 LIMIT must not be negative'],
    ['SELECT fee FROM payments LIMIT fee', /^UNKNOWN_COLUMN 1:32/],
    ["SELECT fee FROM payments OFFSET 'x'", /^INVALID_LITERAL 1:33/],
    ['SELECT fee FROM payments LIMIT 1/0', /^DIVISION_BY_ZERO 1:33/],
    ['VALUES (1), (2, 3)', 'SYNTAX_ERROR 1:14 VALUES lists must all have the same length'],
    ['VALUES (1), (TRUE)', 'TYPE_MISMATCH 1:9 VALUES column 1 mixes types'],
    ['SELECT (SELECT 1, 2)', 'TYPE_MISMATCH 1:8 a subquery as a value must return one column, not 2'],
  ] as const)('%s', (sql, want) => checkFault(sql, want));
});

describe('grouping', () => {
  test.each([
    [
      'SELECT merchant FROM payments GROUP BY country',
      'NOT_GROUPED 1:8 column merchant must appear in GROUP BY or be used in an aggregate function (add merchant to GROUP BY, or write MIN(merchant))',
    ],
    [
      'SELECT count(*), merchant FROM payments',
      'NOT_GROUPED 1:18 column merchant must appear in GROUP BY or be used in an aggregate function (add merchant to GROUP BY, or write MIN(merchant))',
    ],
    [
      'SELECT * FROM payments GROUP BY ts',
      'NOT_GROUPED 1:8 column id must appear in GROUP BY or be used in an aggregate function (add id to GROUP BY, or write MIN(id))',
    ],
    [
      'SELECT country FROM payments GROUP BY 1 ORDER BY fee',
      'NOT_GROUPED 1:50 column fee must appear in GROUP BY or be used in an aggregate function (add fee to GROUP BY, or write MIN(fee))',
    ],
    [
      'SELECT country FROM payments GROUP BY 1 HAVING fee > 1',
      'NOT_GROUPED 1:48 column fee must appear in GROUP BY or be used in an aggregate function (add fee to GROUP BY, or write MIN(fee))',
    ],
    [
      'SELECT 1 FROM payments WHERE count(*) > 1',
      'NOT_GROUPED 1:30 aggregate functions are not allowed in WHERE (use HAVING, or a subquery)',
    ],
    ['SELECT 1 FROM payments GROUP BY count(*)', 'NOT_GROUPED 1:33 aggregate functions are not allowed in GROUP BY'],
    [
      'SELECT count(*) AS n FROM payments GROUP BY n',
      'NOT_GROUPED 1:45 aggregate functions are not allowed in GROUP BY',
    ],
    ['SELECT count(*) FROM payments GROUP BY 1', 'NOT_GROUPED 1:40 aggregate functions are not allowed in GROUP BY'],
    ['SELECT sum(count(*)) FROM payments', 'NOT_GROUPED 1:12 aggregate calls cannot be nested'],
    ['SELECT count(*) FILTER (WHERE sum(fee) > 1) FROM payments', 'NOT_GROUPED 1:31 aggregate calls cannot be nested'],
    [
      'SELECT DISTINCT country FROM payments ORDER BY fee',
      'NOT_GROUPED 1:48 for SELECT DISTINCT, ORDER BY expressions must appear in the select list',
    ],
    ['SELECT DISTINCT extra FROM payments', 'TYPE_MISMATCH 1:17 JSON cannot be grouped (CAST it to STRING)'],
    ['SELECT extra FROM payments ORDER BY 1', 'TYPE_MISMATCH 1:37 JSON has no order (CAST it to STRING)'],
    ['SELECT sum(*) FROM payments', 'TYPE_MISMATCH 1:8 sum(*) does not exist (only COUNT takes *)'],
    ['SELECT count() FROM payments', 'TYPE_MISMATCH 1:8 count() needs an argument (COUNT(*) counts rows)'],
    [
      'SELECT abs(DISTINCT fee) FROM payments',
      'TYPE_MISMATCH 1:8 DISTINCT is for aggregate functions, and abs is none',
    ],
    [
      'SELECT abs(fee) FILTER (WHERE paid) FROM payments',
      'TYPE_MISMATCH 1:8 FILTER is for aggregate functions, and abs is none',
    ],
  ])('%s', (sql, want) => checkFault(sql, want));

  test.each([
    'SELECT lower(country) || 1 FROM payments GROUP BY lower(country)',
    'SELECT country AS c, count(*) AS total FROM payments GROUP BY c HAVING total > 5 ORDER BY total / 2, c',
    'SELECT count(*) FROM payments HAVING count(*) > 1',
    "SELECT date_trunc('hour', ts), 1 FROM payments GROUP BY 1, 2",
    'SELECT country FROM payments GROUP BY country, country ORDER BY count(*)',
  ])('%s', sql => expect(planOf(sql).fragments).toHaveLength(2));
});

describe('parameters', () => {
  test.each<[string, Value[], string]>([
    ['SELECT ?', [], 'INVALID_PARAMETER - the statement has 1 parameters, and 0 values are given'],
    ['SELECT 1', [1], 'INVALID_PARAMETER - the statement has 0 parameters, and 1 values are given'],
    [
      'SELECT * FROM payments WHERE amount = ?',
      ['x'],
      'INVALID_PARAMETER 1:39 parameter $1: invalid input syntax for type LONG: "x"',
    ],
    ['SELECT $1', [{} as Value], 'INVALID_PARAMETER 1:8 parameter $1 is neither a scalar nor NULL'],
  ])('%s %j', (sql, parameters, want) => checkFault(sql, want, parameters));
});

describe('CREATE TABLE', () => {
  test('everything at once', () => {
    const sql = `CREATE TABLE IF NOT EXISTS events (
        ts TIMESTAMP WITH TIME ZONE NOT NULL, name VARCHAR(20) DEFAULT 'x', n BIGINT NULL DEFAULT 1 + 1,
        price NUMERIC(10, 2), ratio DOUBLE PRECISION, "Odd name" BYTEA)
      FROM LOG (partitions = 1)
      WITH (time_column = 'TS', index = 'name: inverted, n: range', segment_rows = 1000, segment_age = '1h', retention = '90 days')`;
    expect(bind(sql)).toEqual({
      kind: 'createTable',
      ifNotExists: true,
      request: {
        name: 'events',
        columns: [
          { name: 'ts', type: { name: 'TIMESTAMP' }, nullable: false },
          { name: 'name', type: { name: 'STRING' }, nullable: true, defaultValue: 'x' },
          { name: 'n', type: { name: 'LONG' }, nullable: true, defaultValue: 2n },
          { name: 'price', type: { name: 'DECIMAL', precision: 10, scale: 2 }, nullable: true },
          { name: 'ratio', type: { name: 'DOUBLE' }, nullable: true },
          { name: 'Odd name', type: { name: 'BYTES' }, nullable: true },
        ],
        timeColumn: 'ts',
        indexes: [
          { column: 'name', kind: 'inverted' },
          { column: 'n', kind: 'range' },
        ],
        source: { kind: 'log', partitionCount: 1 },
        settings: { segmentRows: 1000, segmentAgeMs: 3_600_000, retentionMs: 90 * 86_400_000 },
      },
    });
  });

  test.each([
    [
      'CREATE TABLE t (a STRING[])',
      'UNSUPPORTED 1:19 array types are not supported yet: STRING[] (use JSON, or one row for each element)',
    ],
    ['CREATE TABLE t (a STRIG)', 'INVALID_DEFINITION 1:19 unknown type STRIG (did you mean STRING?)'],
    ['CREATE TABLE t (a INT(4))', 'INVALID_DEFINITION 1:19 type INT takes no number'],
    ['CREATE TABLE t (a INT, a INT)', 'INVALID_DEFINITION 1:24 column a is given twice'],
    ['CREATE TABLE t (a INT, A INT)', 'INVALID_DEFINITION 1:24 columns a and A differ only in case'],
    [
      'CREATE TABLE t ("$a" INT)',
      'INVALID_DEFINITION 1:17 column name $a is reserved (names with $ belong to virtual columns)',
    ],
    ["CREATE TABLE t (a INT DEFAULT 'x')", /^INVALID_LITERAL 1:31/],
    [
      'CREATE TABLE t (a INT NOT NULL DEFAULT NULL)',
      'INVALID_DEFINITION 1:40 column a is NOT NULL, and its default is NULL',
    ],
    [
      "CREATE TABLE t (a INT) FROM KAFKA (topic = 'x')",
      "INVALID_DEFINITION 1:29 FROM KAFKA needs brokers (add brokers = '…')",
    ],
    [
      'CREATE TABLE t (a INT) FROM LOG (partitions = 2)',
      'UNSUPPORTED 1:47 a log of 2 partitions; the embedded log has 1',
    ],
    [
      "CREATE TABLE t (a INT) WITH (time_colum = 'a')",
      'INVALID_DEFINITION 1:30 unknown option time_colum (did you mean time_column?)',
    ],
    [
      "CREATE TABLE t (a INT) WITH (time_column = 'a')",
      'INVALID_DEFINITION 1:44 time_column a is INT; it must be TIMESTAMP',
    ],
    ["CREATE TABLE t (a INT) WITH (time_column = 'b')", 'UNKNOWN_COLUMN 1:44 unknown column b (did you mean a?)'],
    [
      "CREATE TABLE t (a INT) WITH (retention = '1 day')",
      "INVALID_DEFINITION 1:30 retention needs a time_column (add time_column = '…')",
    ],
    [
      "CREATE TABLE t (a INT) WITH (index = 'a: invertd')",
      'INVALID_DEFINITION 1:38 unknown index kind invertd (did you mean inverted?)',
    ],
    [
      "CREATE TABLE t (a INT) WITH (index = 'a')",
      "INVALID_DEFINITION 1:38 index a has no kind (write index = 'column: inverted, other: range')",
    ],
    [
      "CREATE TABLE t (a INT) WITH (index = 'a: range, a: range')",
      'INVALID_DEFINITION 1:38 index a: range is given twice',
    ],
    [
      'CREATE TABLE t (a INT) WITH (segment_rows = 0)',
      'INVALID_DEFINITION 1:45 option segment_rows must be a positive whole number',
    ],
    [
      "CREATE TABLE t (a INT) WITH (segment_age = '-1h')",
      'INVALID_DEFINITION 1:44 option segment_age must be longer than nothing',
    ],
    [
      'CREATE TABLE t (a INT) WITH (segment_rows = 1, segment_rows = 2)',
      'INVALID_DEFINITION 1:48 option segment_rows is given twice',
    ],
    [
      'CREATE TABLE system.t (a INT)',
      'INVALID_DEFINITION 1:14 tables cannot be created in schema system (leave the schema out)',
    ],
  ] as const)('%s', (sql, want) => checkFault(sql, want));
});

describe('other statements', () => {
  test('DROP, SHOW, DESCRIBE', () => {
    expect(bind('DROP TABLE Payments')).toEqual({ kind: 'dropTable', name: 'payments', ifExists: false });
    expect(bind('DROP TABLE IF EXISTS nope')).toEqual({ kind: 'dropTable', name: 'nope', ifExists: true });
    expect(bind('SHOW TABLES')).toEqual({ kind: 'showTables' });
    expect(bind('DESC mixed')).toMatchObject({ table: 'Mixed', columns: [{ name: 'Name', nullable: true }, {}, {}] });
    expect(bind('DESCRIBE system.queries')).toMatchObject({ table: 'system.queries' });
    checkFault('DROP TABLE nope', 'UNKNOWN_TABLE 1:12 unknown table nope (SHOW TABLES lists the tables there are)');
    checkFault('DROP TABLE system.queries', 'UNSUPPORTED 1:12 system.queries is a system table: it can only be read');
  });

  test('INSERT gives values of the columns’ types', () =>
    expect(
      bind(
        `INSERT INTO payments (ts, amount, fee, price, country, paid) VALUES
           ('2024-01-01', 5, 1.5, '2.505', DEFAULT, TRUE), (now(), 2.5, ?, 1, NULL, 'f')`,
        ['0.25'],
      ),
    ).toEqual({
      ...{ kind: 'insert', tableId: '0123456789ab', table: 'payments', columnIds: [1, 5, 6, 10, 4, 11] },
      types: ['TIMESTAMP', 'LONG', 'DOUBLE', 'DECIMAL', 'STRING', 'BOOLEAN'].map(name =>
        expect.objectContaining({ name }),
      ),
      rows: [
        [Date.UTC(2024, 0, 1), 5n, 1.5, 251n, 'US', true],
        [nowMs, 3n, 0.25, 100n, null, false],
      ],
    }));

  test('a row without a column list may end early', () =>
    expect(bind("INSERT INTO payments VALUES (now(), 'a')")).toMatchObject({
      rows: [[nowMs, 'a', null, 'US', null, null, null, null, null, null, null, null]],
    }));

  test.each([
    ['INSERT INTO payments (amount) VALUES (5)', 'CONSTRAINT 1:13 column ts is NOT NULL and has no default'],
    ['INSERT INTO payments (ts) VALUES (NULL)', 'CONSTRAINT 1:35 column ts is NOT NULL and has no default'],
    [
      'INSERT INTO payments (ts, tries) VALUES (now(), 3000000000)',
      'NUMERIC_OVERFLOW 1:49 integer out of range (INT holds -2147483648 to 2147483647; CAST an operand to LONG)',
    ],
    [
      'INSERT INTO payments (ts, tries) VALUES (now(), TRUE)',
      'TYPE_MISMATCH 1:49 column tries is INT, the expression BOOLEAN (CAST the expression)',
    ],
    [
      'INSERT INTO payments (ts, tries) VALUES (now(), 1, 2)',
      'SYNTAX_ERROR 1:41 INSERT has more expressions than target columns: 3 for 2',
    ],
    [
      'INSERT INTO payments (ts, tries) VALUES (now())',
      'SYNTAX_ERROR 1:41 INSERT has fewer expressions than target columns: 1 for 2',
    ],
    ['INSERT INTO payments (ts, TS) VALUES (now(), now())', 'INVALID_REQUEST 1:27 column ts is given twice'],
    [
      'INSERT INTO payments (ts, triez) VALUES (now(), 1)',
      'UNKNOWN_COLUMN 1:27 unknown column triez of table payments (did you mean tries?)',
    ],
    ['INSERT INTO payments (ts) VALUES ((SELECT now()))', 'UNSUPPORTED 1:35 a subquery cannot be used here'],
    ['INSERT INTO payments (ts) VALUES (count(*))', 'NOT_GROUPED 1:35 aggregate functions are not allowed in VALUES'],
    ['INSERT INTO system.queries VALUES (1)', 'UNSUPPORTED 1:13 system.queries is a system table: it can only be read'],
  ])('%s', (sql, want) => checkFault(sql, want));
});
