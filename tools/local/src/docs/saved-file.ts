/**
 * What a document tells its reader to save as this file: the block behind "Save as `PATH`:".
 * @throws Error if there is none
 */
export function savedFileOf(document: string, path: string): string {
  const behind = document.split(`Save as \`${path}\`:`)[1];
  const [, text] = /```\w+\n([\s\S]*?)\n```/.exec(behind ?? '') ?? [];
  if (text === undefined) throw new Error(`the document has no file ${path}`);
  return text;
}
