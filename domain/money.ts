/**
 * Amounts of money as exact decimals: text outside, whole minor units (ISO 4217) inside, never a floating point number. An amount that this file
 * does not understand is refused; it never guesses a currency's digits.
 */

/** Digits after the point, ISO 4217:2015 list one, where they are not two. */
const OTHER_DIGITS: Readonly<Record<string, number>> = {
  ...digits(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
  ...digits(3, 'BHD IQD JOD KWD LYD OMR TND'),
};

const TWO_DIGITS =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG';

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(OTHER_DIGITS),
  ...TWO_DIGITS.split(' ').map((currency): [string, number] => [currency, 2]),
]);

/** Twelve digits before the point are enough for any payment; more is a mistake or an attack. */
const AMOUNT = /^(0|[1-9][0-9]{0,11})(?:\.([0-9]+))?$/;

/** undefined: no currency of ISO 4217 in use. */
export function currencyDigits(currency: string): number | undefined {
  return DIGITS.get(currency);
}

/**
 * `amount` with exactly the currency's digits: `1.5` and `1.50` are one amount of NZD. undefined: no decimal of this grammar, more digits than
 * the currency has, an unknown currency, or nothing at all (zero).
 */
export function normalAmount(amount: string, currency: string): string | undefined {
  const digitsAfter = DIGITS.get(currency);
  const [, whole, fraction = ''] = AMOUNT.exec(amount) ?? [];
  if (digitsAfter === undefined || whole === undefined) return undefined;
  if (fraction.length > digitsAfter || (amount.includes('.') && fraction === '')) return undefined;
  if (/^0*$/.test(whole + fraction)) return undefined;
  return digitsAfter === 0 ? whole : `${whole}.${fraction.padEnd(digitsAfter, '0')}`;
}

/** @throws RangeError for what normalAmount() refuses. */
export function minorUnits(amount: string, currency: string): bigint {
  const normal = normalAmount(amount, currency);
  if (normal === undefined) throw new RangeError('an amount that is no amount of this currency');
  return BigInt(normal.replace('.', ''));
}

/**
 * Thousands and decimals by language (BCP 47, primary subtag). Elsewhere an apostrophe, which no language reads as a decimal sign. With all of
 * the currency's digits after the sign, an amount has one meaning even for whoever is used to another language's signs.
 */
const SIGNS: ReadonlyMap<string, readonly [thousands: string, decimal: string]> = new Map([
  ['en', [',', '.']],
  ['de', ['.', ',']],
]);
const OTHER_SIGNS = ["'", '.'] as const;

/** For people: a normal amount with its thousands apart. From a fixed table: what is signed must not change with a library's. */
export function groupedAmount(normal: string, language: string): string {
  const [thousands, decimal] = SIGNS.get(language) ?? OTHER_SIGNS;
  const [whole = '', fraction] = normal.split('.');
  const grouped = whole.replaceAll(/(?<=[0-9])(?=(?:[0-9]{3})+$)/g, thousands);
  return fraction === undefined ? grouped : `${grouped}${decimal}${fraction}`;
}

function digits(count: number, currencies: string): Readonly<Record<string, number>> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, count]));
}
