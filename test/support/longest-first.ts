import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, by what they took in a whole run, the longest first. One of them that came last would
 * leave the other processor with nothing to do; a file that is missing here only comes later than it could.
 */
const LONGEST = [
  'examples/pages',
  'console/accessible',
  'package/consumers',
  'docs/readme',
  'examples/services-walk',
  'console/states',
  'storage/redis-contract',
  'drills/revocation',
  'attacks/real-stores',
  'console/life',
  'drills/outage',
  'package/nest',
  'storage/sql',
  'examples/pages-accessible',
  'console/secrecy',
  'drills/exactness',
  'examples/a2agent',
  'attacks/pollution-wire',
  'storage/sql-texts',
  'examples/oya',
  'runtimes/own-servers',
  'attacks/cluster',
  'http/management-life',
  'examples/a2v2',
  'console/copying',
  'package/imports',
  'drills/bulk',
  'console/long-list',
  'storage/sql-processes',
].map((name) => `/test/${name}.test.ts`)

/** Files that share processes come last and in a row, or the next would not find one that has loaded the sources. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files)
    const shares = (file: TestSpecification) => file.project.config.isolate === false
    const alone = bySize.filter((file) => !shares(file))
    return [...alone.sort((a, b) => placeOf(a) - placeOf(b)), ...bySize.filter(shares)]
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((path) => moduleId.endsWith(path))
  return place === -1 ? LONGEST.length : place
}
