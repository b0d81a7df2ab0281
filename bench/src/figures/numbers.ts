/** With at most so many digits behind the point, as the documents print numbers. */
export const decimal = (value: number, digits: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits });

export const whole = (value: number): string => decimal(value, 0);
