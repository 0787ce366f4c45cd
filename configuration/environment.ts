/**
 * Reads environment variables one by one and remembers every fault, so that one start shows them all. It knows forms, not
 * meanings (those are in the files beside it), and must never put a value into a message.
 */
export type Mode = 'production' | 'development';
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything published for the demo (key ids, passwords, secrets) begins with this word. */
export const demoMarker = 'demo';
const productionSecretLength = 32;

export const readUrl = (text: string): URL | undefined =>
  URL.canParse(text) ? new URL(text) : undefined;

export const isPort = (text: string): boolean =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

export class EnvironmentReader {
  readonly problems: string[] = [];
  readonly mode: Mode;
  readonly #env: Environment;
  readonly #readSecretFile: (path: string) => string;

  constructor(env: Environment, readSecretFile: (path: string) => string) {
    this.#env = env;
    this.#readSecretFile = readSecretFile;
    this.mode = this.oneOf('LATCHKEY_MODE', ['production', 'development'], 'production');
  }

  get isProduction(): boolean {
    return this.mode === 'production';
  }

  refuse(variable: string, wrong: string, fix: string): void {
    this.problems.push(`${variable}: ${wrong}; ${fix}`);
  }

  /** The value of NAME or the content of the file that NAME_FILE names; an empty value counts as not given. */
  optional(variable: string): string | undefined {
    const value = this.#env[variable] || undefined;
    const path = this.#env[`${variable}_FILE`] || undefined;
    if (path === undefined) return value;
    if (value !== undefined) {
      this.refuse(variable, `is given twice, also as ${variable}_FILE`, 'keep one of the two');
      return undefined;
    }
    try {
      const content = this.#readSecretFile(path).replace(/\r?\n$/, '');
      if (content !== '') return content;
      this.refuse(`${variable}_FILE`, 'names an empty file', 'write the value into it');
    } catch {
      this.refuse(
        `${variable}_FILE`,
        'names a file that cannot be read',
        'check its path and permissions',
      );
    }
    return undefined;
  }

  /** Like optional, but its absence is a fault, told once: a value that optional() already refused is not told again. */
  required(variable: string, fix: string): string | undefined {
    const faultsBefore = this.problems.length;
    const value = this.optional(variable);
    if (value === undefined && this.problems.length === faultsBefore)
      this.refuse(variable, 'is missing', fix);
    return value;
  }

  oneOf<Choice extends string>(
    variable: string,
    choices: readonly Choice[],
    otherwise: Choice,
  ): Choice {
    const value = this.optional(variable);
    if (value === undefined) return otherwise;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined)
      this.refuse(variable, 'is none of its values', `use ${choices.join(', ')}`);
    return choice ?? otherwise;
  }

  /** An optional value of a fixed shape. */
  shaped(variable: string, isRight: (value: string) => boolean, fix: string): string | undefined {
    const value = this.optional(variable);
    if (value === undefined || isRight(value)) return value;
    this.refuse(variable, 'has the wrong form', fix);
    return undefined;
  }

  /** A secret shared with a vendor: present, and in production long and not the demo's. */
  secret(variable: string): string {
    const value = this.required(variable, 'set the secret shared with the vendor');
    if (value === undefined || !this.isProduction) return value ?? '';
    if (value.startsWith(demoMarker))
      this.refuse(variable, 'is a demo secret', 'generate one of your own');
    else if (value.length < productionSecretLength) {
      this.refuse(
        variable,
        'is too short',
        `use at least ${productionSecretLength} random characters`,
      );
    }
    return value;
  }

  /** A vendor's endpoint: http or https, in production https only. */
  vendorUrl(variable: string): string {
    const value = this.required(variable, "set the vendor's address, https://…");
    if (value === undefined) return '';
    const protocol = readUrl(value)?.protocol;
    if (protocol !== 'https:' && protocol !== 'http:') {
      this.refuse(variable, 'is not a web address', 'use https://host/path');
    } else if (this.isProduction && protocol === 'http:') {
      this.refuse(variable, 'is not encrypted', 'use https:// in production');
    }
    return value;
  }
}
