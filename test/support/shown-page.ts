import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';

/** A page of ours in a window, and all that it complains about. */
export interface ShownPage {
  readonly page: Page;
  readonly complaints: string[];
}

export async function openPage(context: BrowserContext, url: string): Promise<ShownPage> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(url);
  return { page, complaints };
}

/** The text of what has this id. */
export const textOf =
  (page: Page) =>
  async (id: string): Promise<string> =>
    (await page.textContent(`#${id}`)) ?? '';

/** Waits for up to a minute. */
export const until = (what: string, holds: () => Promise<boolean>): PromiseLike<void> =>
  expect.poll(holds, { timeout: 60_000, interval: 50, message: what }).toBe(true);
