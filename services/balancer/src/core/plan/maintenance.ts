const form = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;
const DAY_MS = 86_400_000;

/** Is `text` a daily window `HH:MM-HH:MM`? One that ends before it begins spans midnight. */
export const isWindow = (text: string): boolean => form.test(text);

/** Whether `nowMs` (since the epoch) is within one of the daily windows, in UTC; the end is outside. */
export function inMaintenance(windows: readonly string[], nowMs: number): boolean {
  const minute = Math.floor((nowMs % DAY_MS) / 60_000);
  return windows.some((text) => {
    const match = form.exec(text);
    if (match === null) return false;
    const begin = Number(match[1]) * 60 + Number(match[2]);
    const end = Number(match[3]) * 60 + Number(match[4]);
    return begin <= end ? minute >= begin && minute < end : minute >= begin || minute < end;
  });
}
