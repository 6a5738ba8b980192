# What one host is made of, in the order in which it is made: NetworkPolicy, Secret, Service, Pod. All named by the launch token,
# all labelled alike. Values come from the environment; they were checked before (launch-settings.sh).
def prefix: "build.appstudio.redhat.com";
def given($name): env[$name] // "" | if . == "" then empty else . end;
def put($key; $name): (first(given($name)) // null) as $value | if $value == null then {} else { ($key): $value } end;

def pairs: split(",") | map(select(. != "") | index("=") as $at | { key: .[:$at], value: .[$at + 1:] }) | from_entries;

# key=value:effect, as kubectl taint writes them; without a value any value is tolerated, without an effect any effect
def toleration:
  capture("^(?<key>[^=:]*)(?<assigned>=)?(?<value>[^:]*)(:(?<effect>.*))?$")
  | (if .key == "" then {} else { key } end)
    + (if .assigned then { operator: "Equal", value } else { operator: "Exists" } end)
    + (if .effect then { effect } else {} end);

def labels: {
  "app.kubernetes.io/managed-by": "multi-platform-controller",
  "\(prefix)/launch-token": env.LAUNCH_TOKEN,
  "\(prefix)/target-platform": (env.PLATFORM | gsub("/"; "-")),
  "\(prefix)/user-task-name": env.TASKRUN_NAME[:63],
  "\(prefix)/user-task-namespace": env.NAMESPACE
} + put("\(prefix)/user-task-uid"; "TASKRUN_UID");
def annotations: put("\(prefix)/instance-tag"; "INSTANCE_TAG") + put("\(prefix)/additional-instance-tags"; "ADDITIONAL_INSTANCE_TAGS");
def metadata: { name: env.LAUNCH_TOKEN, namespace: env.HOSTS_NAMESPACE, labels: labels, annotations: annotations };
def only_this_host: { "\(prefix)/launch-token": env.LAUNCH_TOKEN };
def in_namespace($name): { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": $name } } };

# The build's own pod, and the one that launches it. From another cluster, or through a node's port, pods come under other addresses.
def who_may_connect:
  if env.away == "true" or env.EXPOSE == "nodePort" then {} else { from: [
    in_namespace(env.NAMESPACE) + { podSelector: { matchLabels: { "tekton.dev/taskRun": env.TASKRUN_NAME } } },
    in_namespace(env.operator_namespace) + { podSelector: { matchLabels: { "tekton.dev/task": env.OWN_TASK } } } ] } end;

# Everywhere but to the API server and to where clouds hand out credentials: metadata services (in GKE behind a translation that
# policies come after), identities of pods, Azure's wireserver. The rest of 169.254.0.0/16 stays: nodes may have their DNS cache there.
def cloud_services: ["169.254.169.0/24", "169.254.170.0/24", "168.63.129.16/32", "100.100.100.200/32"];
def cloud_services_v6: ["fd00:ec2::/64", "fd20:ce::254/128"];
def where_it_may_connect: [ { to: [ { namespaceSelector: {} } ] }, { to: [
  { ipBlock: { cidr: "0.0.0.0/0", except: (cloud_services + [ $guarded[] | select(contains(":") | not) + "/32" ]) } },
  { ipBlock: { cidr: "::/0", except: (cloud_services_v6 + [ $guarded[] | select(contains(":")) + "/128" ]) } } ] } ];

def policy: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: metadata, spec: {
  podSelector: { matchLabels: only_this_host }, policyTypes: ["Ingress", "Egress"],
  ingress: [ { ports: [ { port: (env.pod_port | tonumber), protocol: "TCP" } ] } + who_may_connect ], egress: where_it_may_connect } };

# The keys the host starts with, and the script it starts by, so that any image with sshd and podman can be one.
def secret: { apiVersion: "v1", kind: "Secret", type: "Opaque",
  metadata: (metadata | .name = "multi-platform-ssh-\(env.LAUNCH_TOKEN)" | .labels["\(prefix)/multi-platform-secret"] = "true"),
  stringData: { authorized_keys: $client, ssh_host_ed25519_key: $host, "ssh_host_ed25519_key.pub": $host_public, start: $start } };

# Connections are taken as soon as sshd listens, whatever the kubelet thinks of the pod.
def service: { apiVersion: "v1", kind: "Service", metadata: metadata, spec: ({
  selector: only_this_host, publishNotReadyAddresses: true,
  ports: [ { name: "ssh", port: 22, targetPort: (env.pod_port | tonumber), protocol: "TCP" } ] }
  + if env.EXPOSE == "nodePort" then { type: "NodePort" } else {} end) };

def amount: capture("^(?<number>[0-9.]+)(?<unit>[A-Za-z]*)$") | (.number | tonumber)
  * ({ "": 1, m: 0.001, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024, Mi: 1048576, Gi: 1073741824, Ti: 1099511627776 }[.unit]);
# A build may ask for a lower limit than what the platform requests.
def at_most($limit): if . != null and $limit != null and (amount > ($limit | amount)) then $limit else . end;
def resources:
  (put("cpu"; "CPU_LIMIT") + put("memory"; "MEMORY_LIMIT") + put("ephemeral-storage"; "EPHEMERAL_STORAGE")) as $limits
  | (put("cpu"; "CPU_REQUEST") + put("memory"; "MEMORY_REQUEST") | with_entries(.key as $key | .value |= at_most($limits[$key]))) as $requests
  | { requests: ($requests + put("ephemeral-storage"; "MIN_DISK")), limits: $limits };

# podman makes user namespaces and mounts: that takes the system calls the default profiles forbid, a /proc without masks, and the two
# capabilities of newuidmap and newgidmap. In a pod with a user namespace of its own none of it reaches the node.
def unprivileged:
  { allowPrivilegeEscalation: true, procMount: "Unmasked", seccompProfile: { type: "Unconfined" }, appArmorProfile: { type: "Unconfined" },
    capabilities: { drop: ["ALL"], add: (["SETUID", "SETGID"]
      + if env.TOOLS == "" then [] else ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETFCAP", "SYS_CHROOT"] end) } };
def security_context:
  (if env.PRIVILEGED == "true" then { privileged: true } else unprivileged end)
  # Packages are root's to install; the pod's start gives root up before anybody can log in.
  + (if env.TOOLS != "" then { runAsUser: 0, runAsNonRoot: false }
     else { runAsNonRoot: true } + (first(given("RUN_AS_USER")) // null | if . == null then {} else { runAsUser: tonumber } end) end);

def container: {
  name: "host", image: env.IMAGE, imagePullPolicy: "IfNotPresent", command: ["/bin/sh", "/multi-platform/start"],
  env: [ { name: "MP_USER", value: env.USER }, { name: "MP_PORT", value: env.pod_port }, { name: "MP_TOOLS", value: env.TOOLS },
    { name: "MP_USERNS", value: (env.PRIVILEGED != "true" | tostring) } ],
  ports: [ { name: "ssh", containerPort: (env.pod_port | tonumber), protocol: "TCP" } ],
  resources: resources, securityContext: security_context,
  volumeMounts: [ { name: "keys", mountPath: "/multi-platform", readOnly: true }, { name: "home", mountPath: "/home/\(env.USER)" } ] };

def pod: { apiVersion: "v1", kind: "Pod",
  metadata: (metadata | .annotations += { "karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" }),
  spec: ({
    restartPolicy: "Never", terminationGracePeriodSeconds: 1, activeDeadlineSeconds: (env.ACTIVE_DEADLINE_SECONDS | tonumber),
    automountServiceAccountToken: false, enableServiceLinks: false,
    nodeSelector: ((env.NODE_SELECTOR | pairs) + { "kubernetes.io/os": env.os, "kubernetes.io/arch": env.arch }),
    tolerations: [ env.TOLERATIONS | split(",")[] | select(. != "") | toleration ],
    containers: [ container ],
    volumes: [ { name: "keys", secret: { secretName: "multi-platform-ssh-\(env.LAUNCH_TOKEN)", defaultMode: 292 } },
      { name: "home", emptyDir: {} } ] }
    + (if env.PRIVILEGED == "true" then {} else { hostUsers: false } end)
    # sshd itself listens on 22 then, which an ordinary account may not.
    + (if env.EXPOSE == "podIP" then { securityContext: { sysctls: [ { name: "net.ipv4.ip_unprivileged_port_start", value: "0" } ] } } else {} end)
    + (first(given("IMAGE_PULL_SECRET")) // null | if . == null then {} else { imagePullSecrets: [ { name: . } ] } end)
    + put("serviceAccountName"; "SERVICE_ACCOUNT") + put("priorityClassName"; "PRIORITY_CLASS_NAME") + put("runtimeClassName"; "RUNTIME_CLASS_NAME")) };

policy, secret, service, pod
