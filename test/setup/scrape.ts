/** What a process exposes, read as Prometheus does: samples by name and labels, and the names of every metric that it declares. */

export interface Scrape {
  readonly text: string;
  /** Declared ones, with the suffixes that a histogram's samples carry. */
  readonly names: ReadonlySet<string>;
  /** The sum over all samples of the name whose labels include these; undefined without one. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

export async function scrape(port: number): Promise<Scrape> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (!answer.ok) throw new Error(`the metrics answered ${answer.status}`);
  return readScrape(await answer.text());
}

export function readScrape(text: string): Scrape {
  const names = new Set<string>();
  const samples: { name: string; labels: Record<string, string>; value: number }[] = [];
  for (const line of text.split('\n')) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (declared !== undefined) {
      names.add(declared);
      if (type === 'histogram')
        for (const suffix of ['bucket', 'sum', 'count']) names.add(`${declared}_${suffix}`);
    }
    const [, name, labels = '', value] = line.startsWith('#') ? [] : (SAMPLE.exec(line) ?? []);
    if (name === undefined) continue;
    const read = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, text] as const);
    samples.push({ name, labels: Object.fromEntries(read), value: Number(value) });
  }
  return {
    text,
    names,
    value(name, labels = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      );
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
