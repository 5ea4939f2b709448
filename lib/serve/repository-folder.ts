/**
 * What lies in a model repository:
 *
 *     <name>/<version>/model.safetensors    a version is a positive whole number
 *     <name>/config.json                    how the model is served, if it says so
 *     <name>.safetensors                    version 1
 *
 * A path to one file is a repository of one model. What does not look like a model is left alone.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ServeError } from './errors.js'

export interface FoundFile {
  readonly path: string
  /** Another one when the file was written again or replaced. */
  readonly identity: string
}

export interface FoundModel {
  readonly name: string
  readonly config: FoundFile | undefined
  readonly versions: ReadonlyMap<number, FoundFile>
}

export interface FoundModels {
  readonly models: ReadonlyMap<string, FoundModel>
  /** Every folder that was read, for a watcher. */
  readonly folders: readonly string[]
}

const ENDING = '.safetensors'
const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/
const VERSION = /^[1-9]\d{0,8}$/

/** @throws ServeError `ERR_SERVE_REPOSITORY` when the folder can't be read */
export async function scanRepository(path: string): Promise<FoundModels> {
  const whole = await fileAt(path)
  if (whole !== undefined) {
    const name = modelName(basename(path))
    if (name === undefined) throw refuse(path, 'is not a folder of models, nor a .safetensors file')
    const model = { name, config: undefined, versions: new Map([[1, whole]]) }
    return { models: new Map([[name, model]]), folders: [dirname(path)] }
  }
  const models = new Map<string, FoundModel>()
  const folders = [path]
  const files: string[] = []
  for (const name of await entriesOf(path)) {
    if (!NAME.test(name)) continue
    if (modelName(name) !== undefined) files.push(name)
    else {
      const model = await scanModel(join(path, name), name, folders)
      if (model !== undefined) models.set(name, model)
    }
  }
  for (const file of files) {
    const found = await fileAt(join(path, file))
    const name = modelName(file)!
    // A folder of the same name has the versions.
    if (found !== undefined && !models.has(name)) {
      models.set(name, { name, config: undefined, versions: new Map([[1, found]]) })
    }
  }
  return { models, folders }
}

async function scanModel(path: string, name: string, folders: string[]): Promise<FoundModel | undefined> {
  const entries = await readdir(path).catch(() => undefined)
  if (entries === undefined) return undefined
  folders.push(path)
  const versions = new Map<number, FoundFile>()
  for (const version of entries) {
    if (!VERSION.test(version)) continue
    folders.push(join(path, version))
    const file = await fileAt(join(path, version, `model${ENDING}`))
    if (file !== undefined) versions.set(Number(version), file)
  }
  const config = await fileAt(join(path, 'config.json'))
  return versions.size > 0 || config !== undefined ? { name, config, versions } : undefined
}

async function entriesOf(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw refuse(path, missing ? 'does not exist' : "can't be read", error)
  }
}

async function fileAt(path: string): Promise<FoundFile | undefined> {
  try {
    const file = await stat(path)
    return file.isFile() ? { path, identity: `${file.ino} ${file.size} ${file.mtimeMs}` } : undefined
  } catch {
    return undefined
  }
}

/** `digits.safetensors` is the model `digits`. */
function modelName(file: string): string | undefined {
  const name = file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : ''
  return NAME.test(name) ? name : undefined
}

function refuse(path: string, what: string, cause?: unknown): ServeError {
  return new ServeError(`the model repository ${path} ${what}`, 'ERR_SERVE_REPOSITORY', { path }, cause)
}
