/**
 * The files in deploy/: manifests against the schemas of Kubernetes and the types of KServe's client, the Dockerfile against
 * hadolint, both against the service itself. No container runs here.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseOptions } from '../../lib/cli/options.js'
import { definitions } from '../../lib/cli/serve-options.js'
import { createServer } from '../../lib/serve/server.js'
import { installedPackages, pythonEnvironment } from '../python/python.js'
import { fakeRepository } from './fake-repository.js'

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url))
const here = fileURLToPath(new URL('deploy', import.meta.url))
const manifests = readdirSync(deploy, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
const dockerfile = readFileSync(path.join(deploy, 'Dockerfile'), 'utf8')

// biome-ignore lint/suspicious/noExplicitAny: manifests as they are parsed; every value that is read is compared
type Document = any
interface Checked {
  readonly document: Document
  readonly problem: string | null
}

let packages: string
let all: readonly Checked[]
let folder: string
beforeAll(() => {
  packages = installedPackages(path.join(here, 'requirements.txt'), path.join(here, 'requirements-alone.txt'))
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-deploy-'))
  all = check(...manifests.map((name) => path.join(deploy, name)))
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function check(...files: readonly string[]): readonly Checked[] {
  const { stdout, stderr } = spawnSync('python3', [path.join(here, 'check_manifests.py'), ...files], {
    encoding: 'utf8',
    env: { ...process.env, ...pythonEnvironment(packages) },
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

/** The first problem of each manifest, in which one text is replaced by another. */
function problemsAfter(...changes: readonly (readonly [name: string, from: string, to: string])[]) {
  const files = changes.map(([name, from, to], i) => {
    const text = readFileSync(path.join(deploy, name), 'utf8')
    expect(text).toContain(from)
    const file = path.join(folder, `${i}.yaml`)
    writeFileSync(file, text.replace(from, to).split('\n---\n')[0]!)
    return file
  })
  return check(...files).map(({ problem }) => problem)
}

const kinds = (): string[] => all.map(({ document }) => `${document.kind} ${document.metadata.name}`).sort()

/** Every container of the manifests with the pod that it is in. */
function containers(): readonly { readonly container: Document; readonly pod: Document }[] {
  return all.flatMap(({ document }) => {
    const pod = document.kind === 'Deployment' ? document.spec.template.spec : document.spec
    return (pod.containers ?? []).map((container: Document) => ({ container, pod }))
  })
}

describe('the manifests', () => {
  it('are as Kubernetes and KServe describe them', () => {
    expect(all.filter(({ problem }) => problem !== null)).toEqual([])
    expect(kinds()).toEqual([
      'Deployment spikingrx',
      'Deployment spikingrx',
      'HorizontalPodAutoscaler spikingrx',
      'InferenceService digits',
      'PersistentVolumeClaim spikingrx-models',
      'PodDisruptionBudget spikingrx',
      'Service spikingrx',
      'ServingRuntime spikingrx',
      'ServingRuntime spikingrx-gpu',
    ])
  })

  it('would not pass with a field that is not there or of another type', () => {
    const deployment = 'kubernetes/deployment.yaml'
    const runtime = 'kserve/servingruntime.yaml'
    const problems = problemsAfter(
      [deployment, 'readOnlyRootFilesystem', 'readOnlyRoot'],
      [deployment, 'replicas: 2', 'replicas: two'],
      [runtime, 'protocolVersions', 'protocolVersion'],
      [runtime, 'autoSelect: true', 'autoSelect: "yes"'],
      [runtime, 'containerPort: 8080', 'containerPort: http'],
      ['kserve/inferenceservice.yaml', 'storageUri: pvc', 'storageURL: pvc'],
    )
    expect(problems).toEqual([
      expect.stringMatching(/readOnlyRoot/),
      expect.stringMatching(/replicas.*two/),
      expect.stringMatching(/no field protocolVersion$/),
      expect.stringMatching(/'yes' is not bool/),
      expect.stringMatching(/containerPort.*'http'/),
      expect.stringMatching(/no field storageURL$/),
    ])
  })

  it('start the service with options that it has', () => {
    expect(containers()).toHaveLength(4)
    for (const { container } of containers()) {
      const [command, ...args] = container.args
      const { positionals, values } = parseOptions(args, definitions)
      expect([command, values.host]).toEqual(['serve', '0.0.0.0'])
      const [mounted = '/mnt/models'] = (container.volumeMounts ?? []).map((mount: Document) => mount.mountPath)
      expect(positionals).toEqual([mounted])
      expect(container.ports[0].containerPort).toBe(values.port ?? 8000)
    }
  })

  it('ask for health where the service tells it', async () => {
    const server = await createServer({ repository: fakeRepository() })
    for (const { container } of containers()) {
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((name) => container[name] ?? [])
      expect(probes.length).toBeGreaterThanOrEqual(2)
      for (const { httpGet } of probes) {
        expect((await server.app.inject(httpGet.path)).statusCode).toBe(200)
        expect([container.ports[0].name, container.ports[0].containerPort]).toContain(httpGet.port)
      }
      expect(container.readinessProbe.httpGet.path).toBe('/v2/health/ready')
    }
    await server.close(0)
  })

  it('give it time to answer what it has accepted', () => {
    const deployments = containers().filter(({ pod }) => pod.terminationGracePeriodSeconds !== undefined)
    expect(deployments).toHaveLength(2)
    for (const { container, pod } of deployments) {
      const { values } = parseOptions(container.args.slice(1), definitions)
      const wait = Number(container.lifecycle.preStop.exec.command[1])
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(wait + values.drain!)
    }
  })

  it('run it without rights and with limits; on a GPU where they say so', () => {
    for (const { container, pod } of containers()) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect({ ...pod.securityContext, ...container.securityContext }).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(Object.keys(container.resources.limits)).toEqual(expect.arrayContaining(['cpu', 'memory']))
      const onGpu = parseOptions(container.args.slice(1), definitions).values.device === 'cuda'
      expect(container.resources.limits['nvidia.com/gpu']).toBe(onGpu ? '1' : undefined)
      expect(container.image).toMatch(onGpu ? /-cuda$/ : /-cpu$/)
    }
  })

  it('fit one another', () => {
    const named = (kind: string) => all.filter(({ document }) => document.kind === kind).map(({ document }) => document)
    const [claim] = named('PersistentVolumeClaim')
    const [service] = named('Service')
    const [scaler] = named('HorizontalPodAutoscaler')
    for (const { metadata, spec } of named('Deployment')) {
      expect(spec.template.metadata.labels).toMatchObject(service.spec.selector)
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels)
      expect(spec.template.spec.volumes[0].persistentVolumeClaim.claimName).toBe(claim.metadata.name)
      expect(scaler.spec.scaleTargetRef.name).toBe(metadata.name)
    }
    const [{ spec }] = named('InferenceService')
    const runtime = named('ServingRuntime').find(({ metadata }) => metadata.name === spec.predictor.model.runtime)
    expect(runtime.spec.supportedModelFormats[0]).toMatchObject(spec.predictor.model.modelFormat)
    expect(runtime.spec.protocolVersions).toContain(spec.predictor.model.protocolVersion)
  })
})

describe('the Dockerfile', () => {
  const instruction = (name: string): string[] =>
    Array.from(
      dockerfile.matchAll(new RegExp(`^(?:HEALTHCHECK[^\\n]*\\\\\\n\\s*)?${name} (.*)$`, 'gm')),
      ([, rest]) => rest!,
    )

  it('passes hadolint', () => {
    const { status, stdout } = spawnSync(path.join(packages, 'bin/hadolint'), [path.join(deploy, 'Dockerfile')], {
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([0, ''])
  })

  it('runs the program of this package, of this version, as nobody in particular', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    const [entry] = instruction('ENTRYPOINT').map((text) => JSON.parse(text))
    expect(entry).toEqual(['node', path.posix.join('/app/node_modules/spikingrx', manifest.bin.spikingrx)])
    expect(dockerfile).toContain(`ARG SPIKINGRX=spikingrx@${manifest.version}\n`)
    expect(dockerfile).toMatch(/^ARG NODE=22-[a-z]+-slim$/m)
    expect(instruction('USER')).toEqual(['1000:1000'])
    const [, ...args] = JSON.parse(instruction('CMD')[1]!)
    expect(parseOptions(args, definitions).values.host).toBe('0.0.0.0')
  })

  it('sees whether the service is there', async () => {
    const server = await createServer({ repository: fakeRepository(), port: 0 })
    const { port } = new URL(await server.listen())
    const [node, ...args] = JSON.parse(instruction('CMD')[0]!)
    expect(node).toBe('node')
    const health = (): Promise<number | null> =>
      new Promise((resolve) => {
        spawn(
          process.execPath,
          args.map((text: string) => text.replace(':8000', `:${port}`)),
        ).once('close', resolve)
      })
    expect(await health()).toBe(0)
    await server.close(0)
    expect(await health()).toBe(1)
  })
})
