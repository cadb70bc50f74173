import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { launch, type PrivateServer, programOf, startServer } from './private-server.ts'

/** An nginx of its own that remembers what the server behind it answers, for as long as it may. */
export function startCachingNginx(upstream: number): Promise<PrivateServer> {
  const nginx = programOf('nginx', 'nginx-light')
  return startServer('nginx', {
    prepare(folder) {
      for (const part of ['cache', 'temp']) mkdirSync(`${folder}/${part}`)
    },
    launch(folder, port) {
      writeFileSync(`${folder}/nginx.conf`, configuration(folder, port, upstream))
      return launch(folder, nginx, ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'])
    },
    greet: (port) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy()
          resolve()
        })
        socket.once('error', reject)
      }),
  })
}

/** One process, so that it ends when it is killed. `x-cache` says where an answer came from: HIT, MISS, EXPIRED. */
function configuration(folder: string, port: number, upstream: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/temp;`,
  )
  return `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  proxy_cache_path ${folder}/cache keys_zone=all:1m;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_cache all;
      proxy_cache_key $request_uri;
      proxy_cache_valid any 10m;
      add_header x-cache $upstream_cache_status always;
    }
  }
}
`
}
