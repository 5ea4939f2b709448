// The system tools a build needs: each missing one gives a line that says how to install it.
import { spawnSync } from 'node:child_process'

/** First line that a command prints, or null where it is missing or fails. */
export function ask(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  return result.status === 0 ? (result.stdout.trim().split('\n')[0] ?? '') : null
}

const atLeast = (version, major, minor = 0) => {
  const [a = 0, b = 0] = (/\d+(\.\d+)?/.exec(version ?? '')?.[0] ?? '0').split('.').map(Number)
  return a > major || (a === major && b >= minor)
}

/** C++20 and -march=x86-64-v4 (native/snn/kernels) need GCC 11 or Clang 12. */
function compilerProblem() {
  const compiler = [process.env.CXX, 'c++', 'g++', 'clang++'].find((name) => name && ask(name, ['--version']) !== null)
  if (!compiler) return 'no C++ compiler: apt-get install g++   (GCC 11 or newer, or Clang 12 or newer)'
  const version = ask(compiler, ['-dumpversion'])
  const clang = /clang/i.test(ask(compiler, ['--version']) ?? '')
  if (atLeast(version, clang ? 12 : 11)) return null
  return `${compiler} is version ${version}, ${clang ? 'Clang 12' : 'GCC 11'} or newer is wanted: apt-get install g++, or set CXX and CC`
}

function cmakeProblem() {
  const version = ask('cmake', ['--version'])
  if (version === null) return 'no CMake: apt-get install cmake   (3.18 or newer)'
  return atLeast(version, 3, 18) ? null : `${version}, 3.18 or newer is wanted: apt-get install cmake`
}

function makeProblem() {
  const found = ask('ninja', ['--version']) ?? ask('make', ['--version'])
  return found === null ? 'neither Ninja nor make: apt-get install ninja-build' : null
}

/** Python only fetches libtorch: its package manager holds the one build of libtorch that can be had by name. */
function pythonProblem() {
  if (ask('python3', ['--version']) === null) return 'no Python 3: apt-get install python3 python3-pip'
  return ask('python3', ['-m', 'pip', '--version']) === null ? 'Python has no pip: apt-get install python3-pip' : null
}

/** What is missing for a build, one line each. */
export function missingTools({ python }) {
  const problems = [compilerProblem(), cmakeProblem(), makeProblem(), python ? pythonProblem() : null]
  return problems.filter((problem) => problem !== null)
}
