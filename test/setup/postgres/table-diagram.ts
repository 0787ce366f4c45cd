/** Draws docs/tables.md from PostgreSQL's own catalogue: what the migrations made, not what somebody meant. */
import type postgres from 'postgres';

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly keys: readonly string[];
}

interface Reference {
  readonly table: string;
  readonly target: string;
  readonly columns: string;
  readonly isOptional: boolean;
}

const HEADER = `# The tables

Every table of Latchkey with its columns and keys, drawn from the migrated database and compared with it by
\`test/contract/database/table-diagram.test.ts\`. After changing a migration, draw it anew:
\`npx vitest run --project contract test/contract/database/table-diagram.test.ts -u\`.

Every row has a \`tenant_id\` and is seen by its own tenant only (row-level security on every table and partition); references are
within one tenant, so only the column that names the other row is written on an arrow. \`dpop_jti\` stands for its 17 partitions.
UK marks columns of a unique index, of which some hold for part of the rows only.
`;

/** The whole file. */
export async function tableDiagram(sql: postgres.Sql): Promise<string> {
  const [columns, references] = [await readColumns(sql), await readReferences(sql)];
  const tables = [...new Set(columns.map(({ table }) => table))];
  const entities = tables.map((table) => {
    const lines = columns.filter((column) => column.table === table).map(columnLine);
    return `  ${table} {\n${lines.join('\n')}\n  }`;
  });
  const arrows = references.map(
    ({ table, target, columns: names, isOptional }) =>
      `  ${target} ${isOptional ? '|o' : '||'}--o{ ${table} : "${names}"`,
  );
  return `${HEADER}\n\`\`\`mermaid\nerDiagram\n${[...entities, ...arrows].join('\n')}\n\`\`\`\n`;
}

function columnLine({ type, column, keys }: Column): string {
  return `    ${type} ${column}${keys.length === 0 ? '' : ` ${keys.join(', ')}`}`;
}

async function readColumns(sql: postgres.Sql): Promise<Column[]> {
  return await sql<Column[]>`
    select c.relname as "table", a.attname as "column",
      replace(replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'), '[]', '_array') as "type",
      array_remove(array[
        case when exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) then 'PK' end,
        case when exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey)) then 'FK' end,
        case when exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisunique and not i.indisprimary
          and a.attnum = any (i.indkey)) then 'UK' end
      ], null) as "keys"
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname <> 'schemaversion'
    order by c.relname, a.attnum`;
}

async function readReferences(sql: postgres.Sql): Promise<Reference[]> {
  return await sql<Reference[]>`
    select k.conrelid::regclass::text as "table", k.confrelid::regclass::text as "target",
      (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = k.conrelid and a.attnum = any (k.conkey)
          and (a.attname <> 'tenant_id' or cardinality(k.conkey) = 1)) as "columns",
      (select bool_or(not a.attnotnull) from pg_attribute a
        where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as "isOptional"
    from pg_constraint k
    where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.conparentid = 0
    order by 2, 1, 3`;
}
