// One process at a time: a file that holds the owner's process id. A lock whose owner is gone is taken over.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

function ownerOf(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    process.kill(pid, 0)
    return pid
  } catch (error) {
    return error.code === 'EPERM' ? -1 : null
  }
}

/** Runs `work` while holding `file`; waits for whoever holds it, and says so. */
export async function withLock(file, work) {
  mkdirSync(path.dirname(file), { recursive: true })
  let told = false
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = ownerOf(file)
    if (owner === null) {
      await sleep(200) // it may be between creating and writing the file
      if (existsSync(file) && ownerOf(file) === null) rmSync(file, { force: true })
      continue
    }
    if (!told) console.log(`waiting for process ${owner}, which holds ${file}`)
    told = true
    await sleep(500)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}
