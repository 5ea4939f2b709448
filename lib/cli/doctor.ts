import { doctor, formatDoctor } from '../runtime/doctor.js'
import { defineCommand, print } from './command.js'
import { EXIT } from './exit.js'
import { json } from './options.js'

export const command = defineCommand({
  name: 'doctor',
  about: 'Says what was found where (Node, libtorch, its version, CUDA, threads), and what to do about problems.',
  positionals: [],
  options: { json },
  notes: ['Exits with 1 when there is a problem.'],
  examples: ['spikingrx doctor', 'spikingrx doctor --json'],
  run: async ({ values }) => {
    const report = doctor()
    print(values.json ? JSON.stringify(report, null, 2) : formatDoctor(report))
    return report.problems.length === 0 ? EXIT.ok : EXIT.failed
  },
})
