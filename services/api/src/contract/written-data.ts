import { rawMember } from '@evenkeel/mesh';
import { maxDataDepth } from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import { WrittenJson } from './written-json.js';

/**
 * `data` of a body as it was written: a number in it may be more than JavaScript takes.
 * @param body the text of a JSON object that has it.
 * @throws Refusal `bad-request`
 */
export function writtenData(body: string): WrittenJson {
  const { text, depth } = rawMember(body, 'data') ?? { text: 'null', depth: 0 };
  if (depth <= maxDataDepth) return new WrittenJson(text);
  const message = `data: is nested deeper than ${maxDataDepth} levels, which not every client can read`;
  throw new Refusal(400, 'bad-request', message);
}
