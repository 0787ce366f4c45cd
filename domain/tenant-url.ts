/** The address below which a tenant lives (DESIGN.md section 10), the same wherever it is needed: its issuer, and what vendors call. */

/** Without a slash at its end. */
export function tenantUrl(
  { publicUrl, tenantAtRoot }: { readonly publicUrl: string; readonly tenantAtRoot?: string },
  slug: string,
): string {
  return slug === tenantAtRoot ? publicUrl : `${publicUrl}/t/${slug}`;
}
