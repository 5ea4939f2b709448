// Server of serve.ts that computes nothing: Node's own HTTP server with the answer ready. What its longest answers take
// is the machine's, the network's and the client's share of the service's.
import { createServer } from 'node:http'

const answer = JSON.stringify({
  model_name: 'digits',
  model_version: '1',
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [1, 10], data: Array.from({ length: 10 }, (_, k) => k / 7) }],
})

const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => {
    response.setHeader('content-type', 'application/json')
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`Answering at http://127.0.0.1:${server.address().port}`))
process.once('SIGTERM', () => process.exit(0))
