{{/* A ticket begins with the name of its node: HAProxy routes by that. */}}
{{- define "evenkeel.haproxy" -}}
{{- $name := include "evenkeel.name" . -}}
{{- $domain := printf "%s.svc.%s" .Release.Namespace .Values.clusterDomain -}}
global
  log stdout format raw local0 notice
  # As many as the container's limit of file descriptors allows, two a connection, and no more than this.
  fd-hard-limit {{ add (mul .Values.haproxy.maxConnections 2) 100 }}
  hard-stop-after 55s
  # Of a Secret: tls.crt and tls.key beside each other.
  ssl-load-extra-del-ext
defaults
  mode http
  log global
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
  option forwardfor
  default-server resolvers kubernetes init-addr none resolve-prefer ipv4
resolvers kubernetes
  parse-resolv-conf
  hold valid 10s
frontend health
  bind :8001
  http-request return status 200 if { path /haproxy-healthz }
  http-request deny
frontend public
  bind :8000{{ if .Values.haproxy.tlsSecret }} ssl crt /etc/evenkeel-tls/tls.crt alpn http/1.1{{ end }}
  # Of the two headers that may name the client, HAProxy writes the other.
  http-request del-header Forwarded
  http-request set-var(txn.node) url_param(ticket),field(1,.)
  http-request set-var(txn.node) path,field(3,/),field(1,.) if { path_beg /sse/ }
  use_backend gateway if { path /gateway }
  use_backend node-%[var(txn.node)] if { var(txn.node) -m found }
  default_backend edges
backend gateway
  server gateway {{ $name }}-gateway.{{ $domain }}:8080
# For a ticket that names no edge of this list: a ready edge, which answers.
backend edges
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host {{ .Values.host }}
  {{- range $i := until (int .Values.edge.maxReplicas) }}
  server {{ $name }}-edge-{{ $i }} {{ $name }}-edge-{{ $i }}.{{ $domain }}:8101 check inter 2s
  {{- end }}
{{- range $i := until (int .Values.edge.maxReplicas) }}
backend node-{{ $name }}-edge-{{ $i }}
  server {{ $name }}-edge-{{ $i }} {{ $name }}-edge-{{ $i }}.{{ $domain }}:8101
{{- end }}
{{- end -}}
