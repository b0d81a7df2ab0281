/** A price that wanders around 100 and is drawn back to it. `random` is uniform in [0, 1). */
export function nextPrice(price: number, random: () => number): number {
  const pull = (100 - price) * 0.02;
  const next = price + pull + (random() - 0.5) * 2;
  return Math.max(1, Math.round(next * 100) / 100);
}
