/**
 * The section of a changelog (in the form of Keep a Changelog) about `version`, without its heading.
 * @throws Error when there is none, or when it is empty.
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((section) => section.startsWith(`[${version}]`));
  const notes = found?.slice(found.indexOf('\n') + 1).trim();
  if (!notes)
    throw new Error(`CHANGELOG.md has no section [${version}]: write what users notice, then release.`);
  return notes;
}
