/**
 * Runs a setup whose libtorch is text: the check by loading says yes. Argument: JSON of the request, the cache folder and
 * the limits; prints each event as a line of JSON, then the result or the error.
 */
import { searchContext } from '../../lib/runtime/locate.js'
import { type SetupRequest, setup } from '../../lib/runtime/setup/setup.js'

const { mirror, cache, limits, hang, ...request } = JSON.parse(process.argv[2] ?? '{}') as Omit<
  SetupRequest,
  'mirror'
> & {
  readonly mirror?: string
  readonly cache: string
  readonly limits?: object
  /** Never ends loading what was unpacked. */
  readonly hang?: boolean
}
const controller = new AbortController()
process.on('SIGINT', () => controller.abort())
const say = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`)
const context = {
  search: {
    ...searchContext(['2.13']),
    environment: { XDG_CACHE_HOME: cache },
    architecture: 'x64',
    libraryProblem: () => null,
  },
  driver: () => null,
  verify: async () => {
    if (hang) await new Promise((resolve) => setTimeout(resolve, 1e9))
    return { libtorch: '2.13.0', threads: 1 }
  },
  limits: { connect: 2000, stall: 400, tries: 3, pause: 10, ...limits },
}
try {
  const wanted = { ...request, ...(mirror === undefined ? {} : { mirror: new URL(mirror) }) }
  say({ result: await setup(wanted, context, say, controller.signal) })
} catch (error) {
  const { name, code, message } = error as Error & { code?: string }
  say({ error: { name, code, message } })
  process.exitCode = 1
}
