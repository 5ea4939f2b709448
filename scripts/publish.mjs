// Publishes the tarballs of dist-packages/: node scripts/publish.mjs --tag v1.2.3 [--folder dist-packages] [--dry-run]
//   companion packages first, because a user who has the main package needs one; versions the registry has are left as
//   they are, so that a release that broke off is finished by running this again.
// release.yml runs it; docs/releasing.md is the recipe.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { libtorchVersions } from './libtorch.mjs'
import { nativeFiles, publishObstacles } from './prepack.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** Name, version and files of a tarball. */
function read(tarball) {
  const text = (file) => execFileSync('tar', ['-xzOf', tarball, `package/${file}`], { encoding: 'utf8' })
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8', maxBuffer: 1 << 26 })
    .trim()
    .split('\n')
  const { name, version } = JSON.parse(text('package.json'))
  return { tarball, name, version, files: files.map((file) => file.replace(/^package\//, '')) }
}

/** Whether the registry has this version; a registry that does not answer is an error, not a no. */
function isPublished({ name, version }) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], { encoding: 'utf8' })
  if (status === 0) return stdout.trim() !== ''
  const { error } = JSON.parse(stdout || '{}')
  if (error?.code === 'E404') return false
  throw new Error(`npm view ${name}@${version} failed: ${error?.summary ?? `exit status ${status}`}`)
}

function obstacles(main, tag) {
  const found = publishObstacles(root)
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  if (main.version !== version)
    found.push(`${path.basename(main.tarball)} holds ${main.version}, package.json says ${version}`)
  if (tag !== `v${version}`) found.push(`the tag is ${tag}, package.json says ${version}`)
  const absent = nativeFiles(libtorchVersions).filter((file) => !main.files.includes(`prebuilds/linux-x64/${file}`))
  if (absent.length > 0) found.push(`${path.basename(main.tarball)} lacks ${absent.join(', ')}`)
  return found
}

function publish({ tarball, version }, dryRun) {
  // A version like 1.2.0-beta.1 must not become what `npm install` takes.
  const channel = version.includes('-') ? ['--tag', 'next'] : []
  const args = ['publish', tarball, '--provenance', '--access', 'public', ...channel, ...(dryRun ? ['--dry-run'] : [])]
  const { status } = spawnSync('npm', args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm publish ${path.basename(tarball)} failed: exit status ${status}`)
}

try {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      folder: { type: 'string', default: 'dist-packages' },
      'dry-run': { type: 'boolean' },
    },
  })
  if (!values.tag) throw new Error('--tag v1.2.3 is missing')
  const folder = path.resolve(values.folder)
  const packages = readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => read(path.join(folder, name)))
  const mains = packages.filter(({ name }) => name === 'spikingrx')
  if (mains.length !== 1) throw new Error(`${folder} holds ${mains.length} tarballs of spikingrx, one is wanted`)
  const found = obstacles(mains[0], values.tag)
  if (found.length > 0) throw new Error(found.join('; '))
  for (const one of [...packages.filter((other) => other !== mains[0]), mains[0]]) {
    const published = isPublished(one)
    console.log(`${one.name}@${one.version}: ${published ? 'is on the registry, left as it is' : 'publishing'}`)
    if (!published) publish(one, values['dry-run'])
  }
} catch (error) {
  console.error(`spikingrx publish: ${error.message}`)
  process.exitCode = 1
}
