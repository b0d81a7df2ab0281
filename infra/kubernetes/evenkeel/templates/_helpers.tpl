{{/* At most 40 characters, so that the name of an edge's pod is a node's name and a label's value. */}}
{{- define "evenkeel.name" -}}
{{- if contains "evenkeel" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-evenkeel" (.Release.Name | trunc 31 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "evenkeel.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* (dict "root" $ "part" "edge") */}}
{{- define "evenkeel.selector" -}}
app.kubernetes.io/name: evenkeel
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "evenkeel.labels" -}}
{{ include "evenkeel.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* What clients dial. Where the front reads the node from the ticket, all edges have one URL. */}}
{{- define "evenkeel.publicUrl" -}}
{{ ternary "wss" "ws" .Values.tls }}://{{ .Values.host }}{{ eq .Values.routing "haproxy" | ternary "/ws" "/e/{node}/ws" }}
{{- end -}}

{{/* Where nodes may be: whatever reports another URL gets no clients. */}}
{{- define "evenkeel.nodeUrlEnv" -}}
- { name: EVENKEEL_NODE_URL_PATTERN, value: {{ include "evenkeel.publicUrl" . | replace "{node}" "*" | quote }} }
{{- end -}}

{{/* Settings that every service has, and those given in values. (dict "root" $ "part" "edge") */}}
{{- define "evenkeel.env" -}}
- { name: EVENKEEL_AMQP_URL_FILE, value: /run/secrets/evenkeel/amqp-url }
# Probes and Prometheus come from outside the pod.
- { name: EVENKEEL_OPS_HOST, value: "0.0.0.0" }
- { name: EVENKEEL_OPS_PORT, value: "9100" }
{{- if .root.Values.ops.existingSecret }}
- { name: EVENKEEL_OPS_TOKEN_FILE, value: /run/secrets/evenkeel/ops-token }
{{- end }}
{{- if and .root.Values.origins (has .part (list "edge" "gateway")) }}
- { name: EVENKEEL_ORIGINS, value: {{ join "," .root.Values.origins | quote }} }
{{- end }}
{{- range $variable, $value := (get .root.Values .part).settings }}
{{- /* Numbers of values files are floating: a million would be 1e+06. */}}
- { name: {{ $variable }}, value: {{ kindIs "float64" $value | ternary (toJson $value) (toString $value) | quote }} }
{{- end }}
{{- end -}}

{{/* Secrets are files, which no child process and no listing of the environment shows. (dict "root" $ "part" "edge") */}}
{{- define "evenkeel.secrets" -}}
- name: secrets
  projected:
    # 0440, as a decimal number.
    defaultMode: 288
    sources:
      - secret: { name: {{ .root.Values.broker.existingSecret }}, items: [{ key: {{ .part }}, path: amqp-url }] }
      {{- if has .part (list "edge" "gateway") }}
      - secret: { name: {{ .root.Values.tickets.existingSecret }}, items: [{ key: {{ .root.Values.tickets.key }}, path: tickets }] }
      {{- end }}
      {{- with .root.Values.ops.existingSecret }}
      - secret: { name: {{ . }}, items: [{ key: token, path: ops-token }] }
      {{- end }}
      {{- if eq .part "console" }}
      - secret: { name: {{ .root.Values.console.existingSecret }}, items: [{ key: tokens, path: console-tokens }] }
      {{- end }}
      {{- if eq .part "api" }}
      - secret:
          name: {{ .root.Values.api.existingSecret }}
          items:
            - { key: keys, path: api-keys }
            {{- if .root.Values.api.webhooks }}
            - { key: webhooks, path: webhooks }
            {{- end }}
      {{- end }}
      {{- if and (eq .part "gateway") .root.Values.gateway.jwt.existingSecret }}
      - secret: { name: {{ .root.Values.gateway.jwt.existingSecret }}, items: [{ key: secret, path: jwt }] }
      {{- end }}
{{- end -}}

{{/* Of every pod: who it runs as and where. (dict "root" $ "part" "edge") */}}
{{- define "evenkeel.pod" -}}
{{- $values := get .root.Values .part -}}
volumes:
  {{- include "evenkeel.secrets" . | nindent 2 }}
serviceAccountName: {{ include "evenkeel.name" .root }}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "evenkeel.selector" $ | nindent 8 }}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "evenkeel.container" -}}
image: {{ include "evenkeel.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "evenkeel.confined" . | nindent 2 }}
resources:
  {{- toYaml (get .root.Values .part).resources | nindent 2 }}
volumeMounts:
  - { name: secrets, mountPath: /run/secrets/evenkeel, readOnly: true }
# Without a broker it is alive and not ready: after ten minutes of that it starts anew.
startupProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 1
  failureThreshold: 600
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 2
livenessProbe:
  httpGet: { path: /healthz, port: ops }
  periodSeconds: 10
  failureThreshold: 6
{{- end -}}

{{- define "evenkeel.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Annotations of a pod. (dict "root" $ "part" "edge") */}}
{{- define "evenkeel.podAnnotations" -}}
{{- $root := .root -}}
{{- $given := (get .root.Values .part).podAnnotations -}}
{{- $sidecar := dict -}}
{{- if eq $root.Values.routing "istio" -}}
{{- $drain := eq .part "edge" | ternary (add $root.Values.edge.drainSeconds 10) 10 -}}
{{- $config := dict "terminationDrainDuration" (printf "%ds" (int $drain)) "holdApplicationUntilProxyStarts" true -}}
{{- $sidecar = dict "proxy.istio.io/config" (toJson $config) "traffic.sidecar.istio.io/excludeInboundPorts" "9100" -}}
{{- end -}}
{{- with merge (dict) $given $sidecar -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}
