/**
 * Whether some key matches both: words joined by dots, of which `*` is any one and `#` any number, none too. As topic exchanges
 * match.
 */
export function doOverlap(a: string, b: string): boolean {
  return overlap(a.split('.'), b.split('.'));
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  const [first, ...rest] = a;
  const [other, ...others] = b;
  if (first === undefined && other === undefined) return true;
  // Either it is nothing, or it takes one word of the other's.
  if (first === '#') return overlap(rest, b) || (other !== undefined && overlap(a, others));
  if (other === '#') return overlap(b, a);
  if (first === undefined || other === undefined) return false;
  return (first === other || first === '*' || other === '*') && overlap(rest, others);
}
