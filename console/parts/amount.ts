/** Amounts as people read them: with separators and their currency. */
export function amountText({
  amount,
  currency,
}: {
  readonly amount: string;
  readonly currency: string;
}): string | undefined {
  const plain = amount.replaceAll(/[,\s]/g, '');
  if (!/^\d{1,12}(\.\d+)?$/.test(plain)) return undefined;
  const digits = new Intl.NumberFormat('en-NZ', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 3,
  }).format(Number(plain));
  return `${digits} ${currency}`;
}
