# The server's image. (The Action is composite and does not use it.)
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -ldflags '-s -w' -o /out/mainstay ./server \
 && CGO_ENABLED=0 go build -trimpath -tags nethttpomithttp2 -ldflags "-s -w -X main.version=$(cat action/version)" -o /out/mainstay-action ./action

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/mainstay --create-home mainstay
COPY --from=build /out/mainstay /out/mainstay-action /usr/local/bin/
USER mainstay
ENV MAINSTAY_LISTEN=0.0.0.0:8080 MAINSTAY_DATA=/var/lib/mainstay
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/mainstay"]
CMD ["serve"]
