/** What people open in a browser: the page at `/ui`, the API's documentation at `/docs`. */
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { fault } from '../base/fault.ts';
import { docsPage } from './docs-page.ts';
import { type Door, sendJson } from './door.ts';
import { openApiDocument } from './openapi.ts';

export async function addPageRoutes(app: FastifyInstance, { settings }: Door): Promise<void> {
  const document = openApiDocument(settings.version);

  app.get('/', (_, reply) => reply.redirect('/ui/', 302));
  app.get('/openapi.json', (_, reply) => sendJson(reply, document));
  app.get('/docs', (request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .send(docsPage(document, `${request.protocol}://${request.headers.host}`)),
  );

  const { webFolder } = settings;
  app.get('/ui', (_, reply) => reply.redirect('/ui/', 302));
  if (webFolder !== null) await servePage(app, webFolder);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!;
    const navigates = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    // Addresses inside the page are its own routes; a missing asset is missing.
    if (webFolder !== null && navigates && path.startsWith('/ui/')) return reply.sendFile('index.html');
    throw fault('NOT_FOUND', `there is no ${request.method} ${path.slice(0, 200)}`, {
      hint:
        webFolder === null && path.startsWith('/ui/')
          ? 'build the page with: npm run build'
          : 'GET /docs lists what there is',
    });
  });
}

const servePage = (app: FastifyInstance, webFolder: string) =>
  app.register(fastifyStatic, {
    root: webFolder,
    prefix: '/ui/',
    cacheControl: false,
    setHeaders(reply, path) {
      // The build names assets by their content; everything else may change with the next version.
      reply.setHeader('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
