// Made by OpenAPITests from Protocols/openapi.yaml; not edited by hand.

enum OpenAPIDocument {
    static let json = #"""
        {"openapi":"3.1.0",
        "info":{"title":"Suanpan",
        "version":"1",
        "summary":"Jobs, nodes and usage of one cluster.",
        "description":"Replies give amounts as integers (`cpuMilli`, `memoryBytes`, `shareMilli`) and times in RFC 3339, UTC. In\#
         requests a bare number means cores, bytes, devices or seconds, and strings take units. An unknown field or query parame\#
        ter is an error that lists the valid ones. An object of another tenant does not exist (404). A reply to a write carries \#
        `Suanpan-Revision`; a read with `minRevision` waits until it shows that state.",
        "license":{"name":"Apache-2.0",
        "identifier":"Apache-2.0"}},
        "servers":[{"url":"http://127.0.0.1:8470","description":"the default of a coordinator"}],
        "security":[{"key":[]}],
        "tags":[{"name":"jobs"},{"name":"nodes"},{"name":"files"},{"name":"usage"},{"name":"access"},{"name":"operations"}],
        "paths":{"/livez":{"get":{"tags":["operations"],"operationId":"isLive","summary":"The process answers.","security":[],"r\#
        esponses":{"200":{"$ref":"#/components/responses/Status"}}}},
        "/readyz":{"get":{"tags":["operations"],"operationId":"isReady","summary":"The coordinator takes requests; 503 while it \#
        starts or stops.","security":[],"responses":{"200":{"$ref":"#/components/responses/Status"},"503":{"$ref":"#/components/\#
        responses/Problem"}}}},
        "/openapi.json":{"get":{"tags":["operations"],"operationId":"describe","summary":"This document.","security":[],"respons\#
        es":{"200":{"description":"OpenAPI 3.1","content":{"application/json":{"schema":{"type":"object"}}}}}}},
        "/metrics":{"get":{"tags":["operations"],"operationId":"scrape","summary":"Shows the coordinator's metrics for Prometheu\#
        s.","description":"Protocols/metrics.md lists them. The text is made anew at most once a second.","parameters":[{"$ref":\#
        "#/components/parameters/MinRevision"}],"responses":{"200":{"description":"OpenMetrics 1.0","content":{"application/open\#
        metrics-text; version=1.0.0; charset=utf-8":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Pro\#
        blem"}}}},
        "/v1/jobs":{"post":{"tags":["jobs"],"operationId":"submitJob","summary":"Submits a job.","description":"With an `Idempot\#
        ency-Key` the same request may be sent again after a lost reply: it answers 200 with the job that exists. The same key w\#
        ith another body is refused with 422. Keys are kept for at least 24 hours.","parameters":[{"$ref":"#/components/paramete\#
        rs/IdempotencyKey"}],"requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schema\#
        s/JobRequest"},"examples":{"short":{"summary":"One task","value":{"command":["python3","train.py"],"resources":{"cpu":4,\#
        "memory":"16GiB","gpu":1},"timeLimit":"2h"}},"gang":{"summary":"A gang of two tasks that share GPUs, for each index of a\#
        n array","value":{"name":"digits","kind":"training","project":"default/demo","priority":10,"groups":[{"name":"worker","c\#
        ount":2,"resources":{"cpu":"500m","memory":"512MiB","gpu":{"count":1,"share":"250m","memory":"7000MiB","model":"*A100*|*\#
        H100*"}},"constraints":["zone=a"],"command":["python3","train.py"],"env":{"LR":"0.1"}}],"array":"0-9%2","after":[{"job":\#
        "7","when":"ok"}],"retry":{"limit":2,"on":["node_lost","device_fault"]},"checkpoint":{"path":"ckpt","grace":"30s"},"onNo\#
        deLost":"replace","labels":{"team":"vision"}}}}}}},"responses":{"201":{"$ref":"#/components/responses/WrittenJob"},"200"\#
        :{"$ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}},
        "get":{"tags":["jobs"],"operationId":"listJobs","summary":"Lists jobs, newest first.","parameters":[{"name":"state","in"\#
        :"query","description":"One of these states; may come more than once, or as a list with commas.","schema":{"type":"array\#
        ","items":{"$ref":"#/components/schemas/State"}}},{"name":"name","in":"query","schema":{"type":"string"}},{"name":"user"\#
        ,"in":"query","schema":{"type":"string"}},{"name":"label","in":"query","description":"`NAME=VALUE`; may come more than o\#
        nce.","schema":{"type":"array","items":{"type":"string"}}},{"name":"limit","in":"query","schema":{"type":"integer","mini\#
        mum":1,"maximum":500,"default":100}},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/MinRevis\#
        ion"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/component\#
        s/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/JobSummary"}}}}]}}}},"defa\#
        ult":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"getJob","summary":"Shows a job.","parameters":[{"$ref":"#/components/parameters/Mi\#
        nRevision"},{"$ref":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"$ref":"#/components/responses/Job"},"30\#
        4":{"description":"The client has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/cancel":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "post":{"tags":["jobs"],"operationId":"cancelJob","summary":"Cancels a job; its tasks get their grace.","responses":{"20\#
        0":{"$ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/retry":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "post":{"tags":["jobs"],"operationId":"retryJob","summary":"Makes a new job like one that has ended.","parameters":[{"$r\#
        ef":"#/components/parameters/IdempotencyKey"}],"responses":{"201":{"$ref":"#/components/responses/WrittenJob"},"200":{"$\#
        ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/explain":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"explainJob","summary":"Says why nothing more of a job starts now.","parameters":[{\#
        "$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The explanation","content":{"applicati\#
        on/json":{"schema":{"type":"object","required":["job","state","reason","reasons","explanation","tasks","revision"],"prop\#
        erties":{"job":{"type":"string"},"state":{"$ref":"#/components/schemas/State"},"reason":{"$ref":"#/components/schemas/Re\#
        ason"},"reasons":{"type":"array","items":{"type":"string"}},"explanation":{"type":"string"},"tasks":{"$ref":"#/component\#
        s/schemas/TaskCounts"},"revision":{"type":"integer","description":"the state that the explanation is about"}}},"example"\#
        :{"job":"12","state":"queued","reason":"capacity","reasons":["capacity"],"explanation":"needs 4 whole GPUs on one node; \#
        3 of 8 nodes have that many, none has them free","tasks":{"total":2,"queued":2,"starting":0,"running":0,"stopping":0,"su\#
        cceeded":0,"failed":0,"cancelled":0},"revision":4711}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/tasks":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"listTasks","summary":"Lists all tasks of a job by index, started or not, each with\#
         its last attempt.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$\#
        ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"\#
        schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/compone\#
        nts/schemas/Task"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/attempts":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"listAttempts","summary":"Lists attempts by task and number.","parameters":[{"$ref"\#
        :"#/components/parameters/TaskIndex"},{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"}\#
        ,{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json\#
        ":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/com\#
        ponents/schemas/Attempt"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/logs":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"readLogs","summary":"Streams output of tasks.","description":"Of each task the las\#
        t attempt, unless `attempt` names another. Output of more than one task comes line by line, each prefixed `<index>| `. F\#
        ollowing waits for attempts to begin, goes on over automatic retries and ends with the job; at most 64 tasks are followe\#
        d at once, the next ones as these end. Where output was lost, a line in brackets says how many bytes.","parameters":[{"$\#
        ref":"#/components/parameters/TaskIndex"},{"name":"stream","in":"query","description":"Without it, both.","schema":{"typ\#
        e":"string","enum":["stdout","stderr"]}},{"name":"follow","in":"query","schema":{"type":"boolean","default":false}},{"na\#
        me":"tail","in":"query","description":"Only the last lines of each stream.","schema":{"type":"integer","minimum":0,"maxi\#
        mum":10000}},{"name":"attempt","in":"query","description":"The number of an attempt of one task.","schema":{"type":"inte\#
        ger","minimum":1}},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The output, as it \#
        comes","content":{"text/plain":{"schema":{"type":"string"},"example":"epoch 1 loss 0.31\n"}}},"default":{"$ref":"#/compo\#
        nents/responses/Problem"}}}},
        "/v1/jobs/{id}/files":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["files"],"operationId":"listJobFiles","summary":"What the tasks of a job left behind, of each the last at\#
        tempt's.","parameters":[{"$ref":"#/components/parameters/TaskIndex"},{"$ref":"#/components/parameters/MinRevision"}],"re\#
        sponses":{"200":{"description":"The files","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schem\#
        as/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/JobFile"}}}}]}}}}\#
        ,"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/files/{path+}":{"parameters":[{"$ref":"#/components/parameters/JobID"},{"name":"path+","in":"path","requi\#
        red":true,"description":"The file's path, slashes included.","schema":{"type":"string"}}],
        "get":{"tags":["files"],"operationId":"readJobFile","summary":"The content of one file; of the first task that has it, u\#
        nless one is named.","parameters":[{"$ref":"#/components/parameters/TaskIndex"},{"$ref":"#/components/parameters/MinRevi\#
        sion"}],"responses":{"200":{"$ref":"#/components/responses/Content"},"206":{"$ref":"#/components/responses/Content"},"30\#
        4":{"description":"The content is known"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/blobs/{digest}":{"parameters":[{"$ref":"#/components/parameters/Digest"}],
        "head":{"tags":["files"],"operationId":"findContent","summary":"How much of a content is there.","responses":{"200":{"de\#
        scription":"All of it","headers":{"Upload-Offset":{"$ref":"#/components/headers/UploadOffset"}}},"404":{"description":"S\#
        o many bytes from the start","headers":{"Upload-Offset":{"$ref":"#/components/headers/UploadOffset"}}}}},
        "put":{"tags":["files"],"operationId":"uploadContent","summary":"Uploads a content, or the rest of one that broke off.",\#
        "description":"The whole by its Content-Length, or a part by `Content-Range: bytes FIRST-LAST/TOTAL`, which must begin w\#
        here what is there ends (409 tells where).","requestBody":{"required":true,"content":{"application/octet-stream":{"schem\#
        a":{"type":"string","format":"binary"}}}},"responses":{"201":{"description":"The content is there and is what its digest\#
         says","content":{"application/json":{"schema":{"type":"object"}}}},"202":{"description":"More is needed","headers":{"Up\#
        load-Offset":{"$ref":"#/components/headers/UploadOffset"}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "get":{"tags":["files"],"operationId":"readContent","summary":"A content that the tenant has uploaded whole.","responses\#
        ":{"200":{"$ref":"#/components/responses/Content"},"206":{"$ref":"#/components/responses/Content"},"304":{"description":\#
        "The content is known"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/trees/{digest}":{"parameters":[{"$ref":"#/components/parameters/Digest"}],
        "put":{"tags":["files"],"operationId":"keepTree","summary":"Keeps a tree, or says which of its contents are missing.","r\#
        equestBody":{"required":true,"content":{"text/plain":{"schema":{"type":"string"}}}},"responses":{"200":{"$ref":"#/compon\#
        ents/responses/Tree"},"201":{"$ref":"#/components/responses/Tree"},"default":{"$ref":"#/components/responses/Problem"}}}\#
        },
        "/v1/attempts/{id}/outputs":{"parameters":[{"name":"id","in":"path","required":true,"description":"The attempt.","schema\#
        ":{"type":"string"}}],
        "put":{"tags":["files"],"operationId":"keepOutputs","summary":"Notes which tree an attempt left behind; for its agent al\#
        one.","requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":fal\#
        se,"required":["tree"],"properties":{"tree":{"$ref":"#/components/schemas/Digest"}}}}}},"responses":{"204":{"description\#
        ":"It is noted"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/secrets":{"get":{"tags":["files"],"operationId":"listSecrets","summary":"Names of the tenant's secrets; nobody can \#
        read their values.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$\#
        ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The secrets","content":{"application/jso\#
        n":{"schema":{"$ref":"#/components/schemas/Page"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/secrets/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Na\#
        me"}}],
        "put":{"tags":["files"],"operationId":"setSecret","summary":"Sets a secret of the tenant.","requestBody":{"required":tru\#
        e,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["value"],"properties\#
        ":{"value":{"type":"string","writeOnly":true}}}}}},"responses":{"200":{"description":"The secret is set","content":{"app\#
        lication/json":{"schema":{"type":"object"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["files"],"operationId":"removeSecret","summary":"Removes a secret.","responses":{"204":{"description":\#
        "It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/datasets":{"get":{"tags":["files"],"operationId":"listDatasets","summary":"Versions of the tenant's data sets.","pa\#
        rameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/para\#
        meters/MinRevision"}],"responses":{"200":{"description":"The versions","content":{"application/json":{"schema":{"allOf":\#
        [{"$ref":"#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/componen\#
        ts/schemas/DatasetVersion"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/datasets/{name}/versions/{version}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/c\#
        omponents/schemas/Name"}},{"name":"version","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["files"],"operationId":"showDataset","summary":"A version of a data set.","parameters":[{"$ref":"#/compon\#
        ents/parameters/MinRevision"}],"responses":{"200":{"description":"The version","content":{"application/json":{"schema":{\#
        "$ref":"#/components/schemas/DatasetVersion"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "put":{"tags":["files"],"operationId":"createDataset","summary":"Makes a version of a data set from a tree; it never cha\#
        nges afterwards.","requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalPro\#
        perties":false,"required":["tree"],"properties":{"tree":{"$ref":"#/components/schemas/Digest"}}}}}},"responses":{"201":{\#
        "description":"The version","content":{"application/json":{"schema":{"$ref":"#/components/schemas/DatasetVersion"}}}},"d\#
        efault":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["files"],"operationId":"removeDataset","summary":"Removes a version; jobs that were submitted with it \#
        keep it.","responses":{"204":{"description":"It is gone"}}}},
        "/v1/backup":{"get":{"tags":["operations"],"operationId":"readBackup","summary":"Makes a backup of the coordinator and s\#
        treams it.","description":"A tar archive with the journal as it is at one instant, digests and a manifest (Protocols/jou\#
        rnal.md). It holds no keys. The connection breaks off when it cannot be finished; an archive without its last member, th\#
        e manifest, is not whole. One is made at a time.","parameters":[{"name":"logs","in":"query","description":"Include the o\#
        utput of tasks.","schema":{"type":"boolean","default":false}},{"$ref":"#/components/parameters/MinRevision"}],"responses\#
        ":{"200":{"description":"The archive","content":{"application/x-tar":{"schema":{"type":"string","format":"binary"}}}},"d\#
        efault":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/cluster":{"get":{"tags":["nodes"],"operationId":"getCluster","summary":"Shows totals of the cluster.","parameters":\#
        [{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"Totals","content":{"application/json\#
        ":{"schema":{"$ref":"#/components/schemas/Cluster"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes":{"get":{"tags":["nodes"],"operationId":"listNodes","summary":"Lists nodes in order of enrolment.","parameter\#
        s":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/\#
        MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/c\#
        omponents/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Node"}}}}]}}}},"de\#
        fault":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/tokens":{"post":{"tags":["nodes"],"operationId":"createJoinToken","summary":"Makes a join token for new nodes\#
        ; its text is shown once.","requestBody":{"content":{"application/json":{"schema":{"type":"object","additionalProperties\#
        ":false,"properties":{"ttlSeconds":{"type":"integer","minimum":1,"maximum":2592000,"default":3600},"uses":{"type":"integ\#
        er","minimum":1,"maximum":100000,"default":1},"namePrefix":{"type":"string","description":"names of nodes that it may ad\#
        d begin so"},"center":{"type":"string","description":"where its nodes belong","whatever they claim":null},"pool":{"type"\#
        :"string"},"labels":{"type":"object","additionalProperties":{"type":"string"},"description":"of its nodes, over those th\#
        at they claim"}}},"example":{"ttlSeconds":600,"uses":8,"center":"lab","pool":"a100"}}}},"responses":{"201":{"description\#
        ":"The token","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"application/json":{"sc\#
        hema":{"type":"object","required":["id","token","command","commandProblem","url","pin","expiresAt","uses","namePrefix","\#
        center","pool","labels"],"properties":{"id":{"type":"string"},"token":{"type":"string","pattern":"^spj_"},"command":{"ty\#
        pe":["string","null"],"description":"The line to paste on a new node; it holds the token."},"commandProblem":{"type":["s\#
        tring","null"],"description":"why there is no such line"},"url":{"type":"string","description":"how other machines reach\#
         this interface"},"pin":{"type":["string","null"],"pattern":"^sha256//","description":"Of the key of the interface's cer\#
        tificate, as `curl --pinnedpubkey` takes it; null for plain http."},"expiresAt":{"type":"string","format":"date-time"},"\#
        uses":{"type":"integer"},"namePrefix":{"type":["string","null"]},"center":{"type":["string","null"]},"pool":{"type":["st\#
        ring","null"]},"labels":{"type":"object","additionalProperties":{"type":"string"}}}}}}},"default":{"$ref":"#/components/\#
        responses/Problem"}}}},
        "/v1/nodes/{id}":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"getNode","summary":"Shows a node.","parameters":[{"$ref":"#/components/parameters\#
        /MinRevision"},{"$ref":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"description":"The node","headers":{"\#
        ETag":{"$ref":"#/components/headers/ETag"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Node"}\#
        }}},"304":{"description":"The client has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["nodes"],"operationId":"removeNode","summary":"Removes a node; its key is refused from then on.","resp\#
        onses":{"204":{"$ref":"#/components/responses/Done"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/topology":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"getTopology","summary":"Shows the tree of packages, caches, cores and devices as \#
        hwloc's XML, compressed.","parameters":[{"$ref":"#/components/parameters/MinRevision"},{"$ref":"#/components/parameters/\#
        IfNoneMatch"}],"responses":{"200":{"description":"The document","headers":{"ETag":{"$ref":"#/components/headers/ETag"},"\#
        Content-Encoding":{"schema":{"const":"deflate"}}},"content":{"application/xml":{"schema":{"type":"string"}}}},"304":{"de\#
        scription":"The client has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/devices":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"listDevices","summary":"Lists all devices of a node.","parameters":[{"$ref":"#/co\#
        mponents/parameters/MinRevision"}],"responses":{"200":{"description":"All of them","content":{"application/json":{"schem\#
        a":{"allOf":[{"$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/s\#
        chemas/Device"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/cordon":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"cordonNode","summary":"Places nothing new on a node.","responses":{"200":{"$ref"\#
        :"#/components/responses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/uncordon":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"uncordonNode","summary":"Places on a node again; ends a drain.","responses":{"20\#
        0":{"$ref":"#/components/responses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/confirm-dead":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"confirmNodeDead","summary":"Vouches that the machine is gone, and everything tha\#
        t ran there with it; its tasks end and are tried elsewhere.","description":"Refused (409) while the node is connected. A\#
         machine that was not dead may run a task a second time.","responses":{"200":{"$ref":"#/components/responses/WrittenNode\#
        "},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/drain":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"drainNode","summary":"Cordons a node and empties it. What runs may end by itself\#
         until the deadline; what is left then is stopped and runs elsewhere, which counts as no retry.","requestBody":{"content\#
        ":{"application/json":{"schema":{"type":"object","additionalProperties":false,"properties":{"deadlineSeconds":{"type":"i\#
        nteger","minimum":0,"maximum":31536000,"description":"From now. Without one, what runs is waited for. A later drain repl\#
        aces a deadline that lies ahead."}}},"example":{"deadlineSeconds":1800}}}},"responses":{"200":{"$ref":"#/components/resp\#
        onses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/install":{"get":{"tags":["nodes"],"operationId":"getInstallScript","summary":"Serves the script by which a machine joi\#
        ns; it wants root, and a join token on its standard input.","security":[],"responses":{"200":{"description":"A script fo\#
        r POSIX shells","content":{"text/x-shellscript":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses\#
        /Problem"}}}},
        "/install/{file}":{"parameters":[{"name":"file","in":"path","required":true,"description":"As the script names it.","sch\#
        ema":{"type":"string"}}],
        "get":{"tags":["nodes"],"operationId":"getPackage","summary":"Serves a package of the agent.","security":[],"parameters"\#
        :[{"$ref":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"description":"The package","headers":{"ETag":{"$r\#
        ef":"#/components/headers/ETag"},"Repr-Digest":{"description":"RFC 9530, SHA-256","schema":{"type":"string"}}},"content"\#
        :{"application/vnd.debian.binary-package":{"schema":{"type":"string","format":"binary"}}}},"304":{"description":"The cli\#
        ent has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/usage/records":{"get":{"tags":["usage"],"operationId":"listUsageRecords","summary":"Lists usage records in order of\#
         the ledger; a record never changes.","parameters":[{"name":"after","in":"query","description":"Records after this seque\#
        nce number; also where `nextCursor` goes.","schema":{"type":"integer","minimum":0,"default":0}},{"$ref":"#/components/pa\#
        rameters/Limit"},{"name":"job","in":"query","schema":{"type":"string"}},{"$ref":"#/components/parameters/MinRevision"}],\#
        "responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schem\#
        as/Page"},{"required":["closedThrough"],"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Usag\#
        eRecord"}},"closedThrough":{"$ref":"#/components/schemas/ClosedThrough"}}}]}}}},"default":{"$ref":"#/components/response\#
        s/Problem"}}}},
        "/v1/usage/summary":{"get":{"tags":["usage"],"operationId":"summariseUsage","summary":"Sums usage of a span of time.","p\#
        arameters":[{"name":"groupBy","in":"query","schema":{"type":"string","enum":["tenant","project","user","job","node"],"de\#
        fault":"tenant"}},{"name":"from","in":"query","schema":{"type":"string","format":"date-time"}},{"name":"to","in":"query"\#
        ,"schema":{"type":"string","format":"date-time"}},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"d\#
        escription":"One row a group, and another for what was simulated in it","content":{"application/json":{"schema":{"type":\#
        "object","required":["groupBy","from","to","closedThrough","items"],"properties":{"groupBy":{"type":"string"},"from":{"t\#
        ype":["string","null"],"format":"date-time"},"to":{"type":["string","null"],"format":"date-time"},"closedThrough":{"$ref\#
        ":"#/components/schemas/ClosedThrough"},"items":{"type":"array","items":{"type":"object","required":["group","simulated"\#
        ,"records","cpuMilliSeconds","memoryMiBSeconds","deviceMilliSeconds","measuredCpuSeconds"],"properties":{"group":{"type"\#
        :"string"},"simulated":{"type":"boolean"},"records":{"type":"integer"},"cpuMilliSeconds":{"type":"integer"},"memoryMiBSe\#
        conds":{"type":"integer"},"deviceMilliSeconds":{"type":"integer"},"measuredCpuSeconds":{"type":"integer"}}}}}}}}},"defau\#
        lt":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/usage/checkpoint":{"get":{"tags":["usage"],"operationId":"getUsageCheckpoint","summary":"Shows the head of the ledg\#
        er's hash chain.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The l\#
        ast record's number, and SHA-256 over its canonical bytes","content":{"application/json":{"schema":{"type":"object","req\#
        uired":["clusterId","sequence","hash"],"properties":{"clusterId":{"type":"string"},"sequence":{"type":"integer"},"hash":\#
        {"type":"string","pattern":"^[0-9a-f]{64}$"}}}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/keys":{"get":{"tags":["access"],"operationId":"listKeys","summary":"Lists API keys, without their secrets.","parame\#
        ters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/paramete\#
        rs/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"\#
        #/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Key"}}}}]}}}},"\#
        default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["access"],"operationId":"createKey","summary":"Makes an API key; its text is shown once.","requestBody":\#
        {"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["tena\#
        nt","user","role"],"properties":{"tenant":{"$ref":"#/components/schemas/Name"},"user":{"$ref":"#/components/schemas/Name\#
        "},"role":{"$ref":"#/components/schemas/Role"}}},"example":{"tenant":"vision","user":"li","role":"user"}}}},"responses":\#
        {"201":{"description":"The key","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"appl\#
        ication/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Key"},{"required":["key"],"properties":{"key":{"type":"s\#
        tring","pattern":"^sp_[0-9a-f]{8}_"}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/keys/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string","pattern":"^[0-9a-f]{8\#
        }$"}}],
        "delete":{"tags":["access"],"operationId":"revokeKey","summary":"Revokes an API key.","responses":{"204":{"$ref":"#/comp\#
        onents/responses/Done"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/users":{"get":{"tags":["access"],"operationId":"listUsers","summary":"Lists users that an administrator described."\#
        ,"parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/\#
        parameters/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{\#
        "$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/User"}}\#
        }}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/users/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name\#
        "}}],
        "put":{"tags":["access"],"operationId":"setUser","summary":"Says which UNIX account a user's jobs run as.","requestBody"\#
        :{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"description":"B\#
        oth numbers, or neither for the agent's own account.","properties":{"uid":{"type":["integer","null"],"minimum":1},"gid":\#
        {"type":["integer","null"],"minimum":1}}},"example":{"uid":1001,"gid":1001}}}},"responses":{"200":{"description":"The us\#
        er","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"application/json":{"schema":{"$r\#
        ef":"#/components/schemas/User"}}}},"default":{"$ref":"#/components/responses/Problem"}}}}},
        "components":{"securitySchemes":{"key":{"type":"http","scheme":"bearer","description":"An API key, `sp_<id>_<secret>`."}\#
        },
        "parameters":{"JobID":{"name":"id","in":"path","required":true,"schema":{"type":"string","pattern":"^[1-9][0-9]*$"}},
        "NodeID":{"name":"id","in":"path","required":true,"description":"The number or the name of a node.","schema":{"type":"st\#
        ring"}},
        "TaskIndex":{"name":"task","in":"query","description":"The index of a task, bare or as `<job>.<index>`.","schema":{"type\#
        ":"string"}},
        "Limit":{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}},
        "Cursor":{"name":"cursor","in":"query","description":"The `nextCursor` of the page before.","schema":{"type":"string"}},
        "MinRevision":{"name":"minRevision","in":"query","description":"Waits until the answer shows this state, at most 5 s.","\#
        schema":{"type":"integer","minimum":0}},
        "IfNoneMatch":{"name":"If-None-Match","in":"header","schema":{"type":"string"}},
        "IdempotencyKey":{"name":"Idempotency-Key","in":"header","schema":{"type":"string","minLength":1,"maxLength":128}},
        "Digest":{"name":"digest","in":"path","required":true,"description":"SHA-256 of the content.","schema":{"$ref":"#/compon\#
        ents/schemas/Digest"}}},
        "headers":{"UploadOffset":{"description":"Bytes that are there.","schema":{"type":"integer"}},
        "Revision":{"description":"The state that shows the change; for `minRevision`.","schema":{"type":"integer"}},
        "ETag":{"schema":{"type":"string"}}},
        "responses":{"Status":{"description":"It is so.","content":{"application/json":{"schema":{"type":"object","properties":{\#
        "status":{"const":"ok"}}}}}},
        "Content":{"description":"The content","headers":{"ETag":{"$ref":"#/components/headers/ETag"}},"content":{"application/o\#
        ctet-stream":{"schema":{"type":"string","format":"binary"}}}},
        "Tree":{"description":"Whether the tree is kept, and what is missing for it","content":{"application/json":{"schema":{"t\#
        ype":"object","required":["digest","stored","missing"],"properties":{"digest":{"$ref":"#/components/schemas/Digest"},"st\#
        ored":{"type":"boolean"},"missing":{"type":"array","items":{"$ref":"#/components/schemas/Digest"}}}}}}},
        "Done":{"description":"Done.","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}}},
        "Job":{"description":"The job","headers":{"ETag":{"$ref":"#/components/headers/ETag"}},"content":{"application/json":{"s\#
        chema":{"$ref":"#/components/schemas/Job"}}}},
        "WrittenJob":{"description":"The job","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":\#
        {"application/json":{"schema":{"$ref":"#/components/schemas/Job"}}}},
        "WrittenNode":{"description":"The node","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content\#
        ":{"application/json":{"schema":{"$ref":"#/components/schemas/Node"}}}},
        "Problem":{"description":"A refusal or failure (RFC 9457); 429 and 503 carry `Retry-After`.","content":{"application/pro\#
        blem+json":{"schema":{"$ref":"#/components/schemas/Problem"},"example":{"type":"urn:suanpan:problem:invalid","title":"In\#
        valid request","status":400,"code":"invalid","detail":"groups[0].resources.cpu: '1Q' — expected cores such as 2, 0.5 or \#
        500m","reasons":[],"retryable":false,"errors":[{"code":"invalid","field":"groups[0].resources.cpu","message":"'1Q' — exp\#
        ected cores such as 2, 0.5 or 500m"}],"requestId":"6f1c2a"}}}}},
        "schemas":{"Digest":{"type":"string","pattern":"^[0-9a-f]{64}$"},
        "JobFile":{"type":"object","required":["path","task","attempt","type"],"properties":{"path":{"type":"string"},"task":{"t\#
        ype":"integer"},"attempt":{"type":"integer"},"type":{"type":"string","enum":["file","directory","link"]},"size":{"type":\#
        "integer"},"digest":{"$ref":"#/components/schemas/Digest"},"executable":{"type":"boolean"},"target":{"type":"string"}}},
        "DatasetVersion":{"type":"object","required":["name","version","tree","files","size","createdAt"],"properties":{"name":{\#
        "$ref":"#/components/schemas/Name"},"version":{"$ref":"#/components/schemas/Name"},"tree":{"$ref":"#/components/schemas/\#
        Digest"},"files":{"type":"integer"},"size":{"type":"integer"},"createdAt":{"type":"string","format":"date-time"}}},
        "Name":{"type":"string","pattern":"^[a-z0-9][a-z0-9._-]{0,62}$"},
        "State":{"type":"string","enum":["queued","starting","running","stopping","succeeded","failed","cancelled"]},
        "Role":{"type":"string","enum":["admin","user","viewer","billing"]},
        "Kind":{"type":"string","enum":["training","inference","batch","notebook"]},
        "NodeLossPolicy":{"type":"string","enum":["wait","replace","fail"]},
        "Reason":{"description":"Why something is in its state; null where there is no reason.","type":["string","null"],"enum":\#
        ["capacity","quota","priority","dependency","begin_time","hold","budget","reservation","unsatisfiable","topology","stagi\#
        ng","pulling","preempted","oom","timeout","node_lost","unreachable","device_fault","dirty_device","user","infrastructure\#
        ","exit_code",null]},
        "ClosedThrough":{"type":"string","format":"date-time","description":"Every segment that ends by this instant is in the l\#
        edger."},
        "Page":{"type":"object","required":["items","nextCursor"],"properties":{"items":{"type":"array"},"nextCursor":{"type":["\#
        string","null"],"description":"null on the last page"}}},
        "Problem":{"type":"object","required":["type","title","status","code","detail","reasons","retryable","errors","requestId\#
        "],"properties":{"type":{"type":"string","format":"uri"},"title":{"type":"string"},"status":{"type":"integer"},"code":{"\#
        type":"string","description":"stable"},"detail":{"type":"string"},"reasons":{"type":"array","items":{"type":"string"},"d\#
        escription":"the codes of explain"},"retryable":{"type":"boolean"},"errors":{"type":"array","items":{"type":"object","re\#
        quired":["code","field","message"],"properties":{"code":{"type":"string","enum":["invalid","unknown_field","unsupported_\#
        field"]},"field":{"type":"string"},"message":{"type":"string"}}}},"requestId":{"type":"string"}}},
        "Amount":{"type":["number","string"]},
        "Command":{"type":"array","items":{"type":"string"},"minItems":1},
        "Environment":{"type":"object","additionalProperties":{"type":"string"},"description":"Values count as secret; replies s\#
        how `***`."},
        "Constraints":{"type":"array","items":{"type":"string","examples":["zone=a","zone!=b","fast","node=worker-1"]}},
        "DeviceRequest":{"description":"Whole devices, or a share or an amount of memory of each.","oneOf":[{"type":"integer","m\#
        inimum":0},{"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer","minimum":0,"maximum":1\#
        024,"default":1},"share":{"$ref":"#/components/schemas/Amount"},"memory":{"$ref":"#/components/schemas/Amount"},"model":\#
        {"type":"string","description":"Patterns of models, such as `*A100*|*H100*`."},"template":{"type":"null","description":"\#
        not in this version"}}}]},
        "ResourcesRequest":{"type":"object","additionalProperties":false,"properties":{"cpu":{"$ref":"#/components/schemas/Amoun\#
        t"},"memory":{"$ref":"#/components/schemas/Amount"},"gpu":{"$ref":"#/components/schemas/DeviceRequest"},"npu":{"$ref":"#\#
        /components/schemas/DeviceRequest"},"computeUnits":{"type":"null","description":"not in this version"},"anyOf":{"type":"\#
        null","description":"not in this version"}}},
        "GroupRequest":{"type":"object","additionalProperties":false,"required":["command"],"properties":{"name":{"$ref":"#/comp\#
        onents/schemas/Name"},"count":{"type":"integer","minimum":1,"maximum":4096,"default":1},"resources":{"$ref":"#/component\#
        s/schemas/ResourcesRequest"},"constraints":{"$ref":"#/components/schemas/Constraints"},"command":{"$ref":"#/components/s\#
        chemas/Command"},"env":{"$ref":"#/components/schemas/Environment"},"workdir":{"type":"string","description":"absolute"},\#
        "image":{"type":"null","description":"not in this version"},"min":{"type":"null","description":"not in this version"},"t\#
        opology":{"type":"null","description":"not in this version"}}},
        "JobRequest":{"type":"object","additionalProperties":false,"description":"Either `groups`, or the fields of one group at\#
         the top level; that group is then called `main`. Fields marked as not in this version may be null or empty.","propertie\#
        s":{"name":{"description":"Without it, the program's name.","$ref":"#/components/schemas/Name"},"kind":{"default":"batch\#
        ","$ref":"#/components/schemas/Kind"},"project":{"type":"string","description":"`PROJECT` or `TENANT/PROJECT`","default"\#
        :"default"},"queue":{"default":"default","$ref":"#/components/schemas/Name"},"priority":{"type":"integer","minimum":-100\#
        0,"maximum":1000,"default":0},"preemptible":{"type":"boolean","default":false},"groups":{"type":"array","items":{"$ref":\#
        "#/components/schemas/GroupRequest"},"minItems":1,"maxItems":64},"count":{"type":"integer","minimum":1,"maximum":4096,"d\#
        efault":1},"resources":{"$ref":"#/components/schemas/ResourcesRequest"},"constraints":{"$ref":"#/components/schemas/Cons\#
        traints"},"command":{"$ref":"#/components/schemas/Command"},"env":{"$ref":"#/components/schemas/Environment"},"workdir":\#
        {"type":"string"},"array":{"type":["string","null"],"description":"`FIRST-LAST[%LIMIT]`"},"after":{"type":"array","maxIt\#
        ems":1000,"items":{"type":"object","additionalProperties":false,"required":["job"],"properties":{"job":{"type":["string"\#
        ,"integer"]},"when":{"type":"string","enum":["ok","any","fail"],"default":"ok"}}}},"beginAt":{"type":["string","null"],"\#
        format":"date-time"},"timeLimit":{"$ref":"#/components/schemas/Amount"},"grace":{"$ref":"#/components/schemas/Amount"},"\#
        retry":{"type":"object","additionalProperties":false,"properties":{"limit":{"type":"integer","minimum":0,"maximum":1000}\#
        ,"on":{"type":"array","items":{"type":"string","enum":["node_lost","device_fault","preempted","exit_code","oom","timeout\#
        ","infrastructure"]}}}},"checkpoint":{"type":"object","additionalProperties":false,"properties":{"path":{"type":"string"\#
        },"grace":{"$ref":"#/components/schemas/Amount"},"signal":{"type":"null","description":"not in this version"}}},"onNodeL\#
        ost":{"default":"wait","$ref":"#/components/schemas/NodeLossPolicy"},"labels":{"type":"object","additionalProperties":{"\#
        type":"string"},"maxProperties":64},"image":{"type":"null","description":"not in this version"},"min":{"type":"null","de\#
        scription":"not in this version"},"topology":{"type":"null","description":"not in this version"},"deadline":{"type":"nul\#
        l","description":"not in this version"},"ports":{"type":"array","maxItems":0,"description":"not in this version"},"input\#
        s":{"type":"array","maxItems":32,"description":"Put into every task's work directory before it starts, in this order.","\#
        items":{"type":"object","additionalProperties":false,"required":["from"],"properties":{"from":{"type":"string","descript\#
        ion":"`tree:DIGEST`, `dataset:NAME@VERSION`, or an http://, https:// or s3:// address"},"to":{"type":"string","default":\#
        ".","description":"A path below the work directory."},"digest":{"allOf":[{"$ref":"#/components/schemas/Digest"}],"descri\#
        ption":"Of what is expected at an http:// or https:// address."}}}},"outputs":{"type":"array","maxItems":32,"description\#
        ":"Kept with the job when a task has ended.","items":{"type":"object","additionalProperties":false,"required":["from"],"\#
        properties":{"from":{"type":"string","description":"A path below the work directory."},"to":{"type":"string","descriptio\#
        n":"Where it stands among the job's files, the same path by default; or `s3://BUCKET/PATH`, below which each task has a \#
        folder of its own."}}}},"centers":{"type":"array","maxItems":0,"description":"not in this version"},"needsInternet":{"co\#
        nst":false,"description":"not in this version"},"volumes":{"type":"array","maxItems":0,"description":"not in this versio\#
        n"},"secrets":{"type":"array","maxItems":32,"description":"Secrets of the tenant, each a file in SUANPAN_SECRETS_DIR or,\#
         with `env`, a variable.","items":{"oneOf":[{"$ref":"#/components/schemas/Name"},{"type":"object","additionalProperties"\#
        :false,"required":["name"],"properties":{"name":{"$ref":"#/components/schemas/Name"},"env":{"type":"string"}}}]}}}},
        "TaskCounts":{"type":"object","required":["total","queued","starting","running","stopping","succeeded","failed","cancell\#
        ed"],"properties":{"total":{"type":"integer"},"queued":{"type":"integer"},"starting":{"type":"integer"},"running":{"type\#
        ":"integer"},"stopping":{"type":"integer"},"succeeded":{"type":"integer"},"failed":{"type":"integer"},"cancelled":{"type\#
        ":"integer"}}},
        "Resources":{"type":"object","required":["cpuMilli","memoryBytes","devices"],"properties":{"cpuMilli":{"type":"integer"}\#
        ,"memoryBytes":{"type":"integer"},"devices":{"type":["object","null"],"required":["kind","count","shareMilli","memoryByt\#
        es","model"],"properties":{"kind":{"type":"string","enum":["gpu","npu","other"]},"count":{"type":"integer"},"shareMilli"\#
        :{"type":"integer","description":"1000 is a whole device; 0 where only memory was asked for"},"memoryBytes":{"type":"int\#
        eger"},"model":{"type":["string","null"]}}}}},
        "Allocation":{"type":"object","required":["cpuMilli","memoryBytes","devices"],"properties":{"cpuMilli":{"type":"integer"\#
        },"memoryBytes":{"type":"integer"},"devices":{"type":"array","items":{"type":"object","required":["index","shareMilli","\#
        memoryBytes"],"properties":{"index":{"type":"integer"},"shareMilli":{"type":"integer"},"memoryBytes":{"type":"integer"}}\#
        }}}},
        "JobSummary":{"type":"object","required":["id","name","kind","project","user","queue","priority","preemptible","state","\#
        reason","submittedAt","startedAt","finishedAt","exitCode","tasks","array","beginAt","timeLimitSeconds","graceSeconds","r\#
        etry","checkpointPath","onNodeLost","labels","retryOf"],"properties":{"id":{"type":"string"},"name":{"$ref":"#/component\#
        s/schemas/Name"},"kind":{"$ref":"#/components/schemas/Kind"},"project":{"type":"string","description":"`tenant/project`"\#
        },"user":{"type":"string"},"queue":{"type":"string"},"priority":{"type":"integer"},"preemptible":{"type":"boolean"},"sta\#
        te":{"$ref":"#/components/schemas/State"},"reason":{"$ref":"#/components/schemas/Reason"},"submittedAt":{"type":"string"\#
        ,"format":"date-time"},"startedAt":{"type":["string","null"],"format":"date-time"},"finishedAt":{"type":["string","null"\#
        ],"format":"date-time"},"exitCode":{"type":["integer","null"]},"tasks":{"$ref":"#/components/schemas/TaskCounts"},"array\#
        ":{"type":["string","null"]},"beginAt":{"type":["string","null"],"format":"date-time"},"timeLimitSeconds":{"type":["inte\#
        ger","null"]},"graceSeconds":{"type":"integer"},"retry":{"type":"object","properties":{"limit":{"type":"integer"},"on":{\#
        "type":"array","items":{"type":"string"}}}},"checkpointPath":{"type":["string","null"]},"onNodeLost":{"$ref":"#/componen\#
        ts/schemas/NodeLossPolicy"},"labels":{"type":"object","additionalProperties":{"type":"string"}},"retryOf":{"type":["stri\#
        ng","null"]}}},
        "Job":{"allOf":[{"$ref":"#/components/schemas/JobSummary"},{"required":["message","groups","after","inputs","outputs","s\#
        ecrets","traceParent"],"properties":{"inputs":{"type":"array","items":{"type":"object","required":["from","to"],"propert\#
        ies":{"from":{"type":"string"},"to":{"type":"string"}}}},"outputs":{"type":"array","items":{"type":"object","required":[\#
        "from","to"],"properties":{"from":{"type":"string"},"to":{"type":"string"}}}},"secrets":{"type":"array","items":{"type":\#
        "object","required":["name","env"],"properties":{"name":{"type":"string"},"env":{"type":["string","null"]}}}},"tracePare\#
        nt":{"type":["string","null"],"description":"W3C trace context of the submission"},"message":{"type":["string","null"],"\#
        description":"why it waits"},"groups":{"type":"array","items":{"type":"object","required":["name","count","resources","c\#
        onstraints","command","env","workdir"],"properties":{"name":{"type":"string"},"count":{"type":"integer"},"resources":{"$\#
        ref":"#/components/schemas/Resources"},"constraints":{"$ref":"#/components/schemas/Constraints"},"command":{"$ref":"#/co\#
        mponents/schemas/Command"},"env":{"$ref":"#/components/schemas/Environment"},"workdir":{"type":["string","null"]}}}},"af\#
        ter":{"type":"array","items":{"type":"object","required":["job","when"],"properties":{"job":{"type":"string"},"when":{"t\#
        ype":"string"}}}}}}]},
        "Task":{"type":"object","required":["id","index","group","rank","arrayIndex","state","reason","attempt","nodeId","node",\#
        "startedAt","endedAt","exitCode"],"properties":{"id":{"type":"string","examples":["12.3"]},"index":{"type":"integer"},"g\#
        roup":{"type":"string"},"rank":{"type":"integer"},"arrayIndex":{"type":["integer","null"]},"state":{"$ref":"#/components\#
        /schemas/State"},"reason":{"$ref":"#/components/schemas/Reason"},"attempt":{"type":["integer","null"],"description":"num\#
        ber of its last attempt"},"nodeId":{"type":["string","null"]},"node":{"type":["string","null"]},"startedAt":{"type":["st\#
        ring","null"],"format":"date-time","description":"when it began to run; of an attempt that was over at the first word of\#
         it, its end less the time it took"},"endedAt":{"type":["string","null"],"format":"date-time"},"exitCode":{"type":["inte\#
        ger","null"]}}},
        "Attempt":{"type":"object","required":["id","task","number","state","reason","nodeId","node","fence","allocation","place\#
        dAt","startedAt","endedAt","end"],"properties":{"id":{"type":"string","examples":["12.3.1"]},"task":{"type":"string"},"n\#
        umber":{"type":"integer"},"state":{"$ref":"#/components/schemas/State"},"reason":{"$ref":"#/components/schemas/Reason"},\#
        "nodeId":{"type":"string"},"node":{"type":["string","null"]},"fence":{"type":"integer"},"allocation":{"$ref":"#/componen\#
        ts/schemas/Allocation"},"placedAt":{"type":"string","format":"date-time"},"startedAt":{"type":["string","null"],"format"\#
        :"date-time"},"endedAt":{"type":["string","null"],"format":"date-time"},"end":{"type":["object","null"],"properties":{"c\#
        ause":{"type":"string","enum":["exited","signalled","oom","timeout","stopped","not_found","cannot_execute","infrastructu\#
        re","lease_expired"]},"exitCode":{"type":"integer"},"signal":{"type":["integer","null"]},"elapsedMilliseconds":{"type":"\#
        integer"},"cpuTimeMilliseconds":{"type":"integer"},"memoryPeakBytes":{"type":"integer"},"stdoutBytes":{"type":"integer"}\#
        ,"stderrBytes":{"type":"integer"},"droppedBytes":{"type":"integer"},"detail":{"type":["string","null"]}}}}},
        "Node":{"type":"object","required":["id","name","state","drain","center","pool","simulated","address","cpuMilli","cpuMil\#
        liAllocated","memoryBytes","memoryBytesAllocated","deviceCount","deviceShareMilliAllocated","cpuMilliUsed","memoryBytesU\#
        sed","workBytesFree","topology","labels","liveAttemptCount","condition","dirtyAttemptCount","enrolledAt","registeredAt"]\#
        ,"properties":{"id":{"type":"string"},"name":{"type":"string"},"state":{"type":"string","enum":["unregistered","ready","\#
        suspect","unreachable","cordoned","draining","drained","quarantined"]},"drain":{"type":["object","null"],"description":"\#
        set while the node is to be empty, whatever its state","required":["deadline","done"],"properties":{"deadline":{"type":[\#
        "string","null"],"format":"date-time","description":"null: what runs there is waited for"},"done":{"type":"boolean","des\#
        cription":"nothing is left there"}}},"center":{"type":["string","null"],"description":"as its join token had it"},"pool"\#
        :{"type":["string","null"],"description":"as its join token had it"},"simulated":{"type":["boolean","null"]},"address":{\#
        "type":["string","null"]},"cpuMilli":{"type":["integer","null"]},"cpuMilliAllocated":{"type":"integer"},"memoryBytes":{"\#
        type":["integer","null"]},"memoryBytesAllocated":{"type":"integer"},"deviceCount":{"type":"integer"},"deviceShareMilliAl\#
        located":{"type":"integer","description":"1000 for each device that is wholly in use"},"cpuMilliUsed":{"type":["integer"\#
        ,"null"],"description":"Measured between the last two heartbeats, all processes of the node. Null when nothing is heard.\#
        "},"memoryBytesUsed":{"type":["integer","null"],"description":"Measured, all processes of the node."},"workBytesFree":{"\#
        type":["integer","null"],"description":"Left on the disk of the work directory."},"topology":{"type":["object","null"],"\#
        properties":{"architecture":{"type":"string"},"cpuModel":{"type":"string"},"packages":{"type":"integer"},"numaNodes":{"t\#
        ype":"integer"},"level3Caches":{"type":"integer"},"level2Caches":{"type":"integer"},"cores":{"type":"integer"},"processi\#
        ngUnits":{"type":"integer"},"pciDevices":{"type":"integer"},"osDevices":{"type":"integer"}}},"labels":{"type":"object","\#
        additionalProperties":{"type":"string"}},"liveAttemptCount":{"type":"integer"},"liveAttempts":{"type":"array","items":{"\#
        type":"string"},"description":"for administrators"},"condition":{"type":"string","enum":["good","disk_full"],"descriptio\#
        n":"what the node says of itself; it takes new work when good"},"dirtyAttemptCount":{"type":"integer","description":"att\#
        empts that were given up and may still hold what they were granted there"},"dirtyAttempts":{"type":"array","items":{"typ\#
        e":"string"},"description":"for administrators"},"enrolledAt":{"type":"string","format":"date-time"},"registeredAt":{"ty\#
        pe":["string","null"],"format":"date-time"}}},
        "Device":{"type":"object","required":["index","kind","vendor","model","uuid","pciAddress","memoryBytes","memoryBytesAllo\#
        cated","shareMilliAllocated","numaNode"],"properties":{"index":{"type":"integer"},"kind":{"type":"string","enum":["gpu",\#
        "npu","other"]},"vendor":{"type":"string"},"model":{"type":"string"},"uuid":{"type":"string"},"pciAddress":{"type":["str\#
        ing","null"]},"memoryBytes":{"type":"integer"},"memoryBytesAllocated":{"type":"integer"},"shareMilliAllocated":{"type":"\#
        integer"},"numaNode":{"type":["integer","null"]}}},
        "Cluster":{"type":"object","required":["id","epoch","outdated","revision","nodesRegistered","nodesReady","cpuMilliTotal"\#
        ,"cpuMilliAllocated","memoryBytesTotal","memoryBytesAllocated","devices","jobsLive","tasksQueued","tasksLive","queue","v\#
        ersion","time"],"properties":{"id":{"type":"string"},"epoch":{"type":"integer"},"outdated":{"type":"boolean","descriptio\#
        n":"nodes know of a later time than this state; nothing is accepted or placed"},"revision":{"type":"integer"},"nodesRegi\#
        stered":{"type":"integer"},"nodesReady":{"type":"integer"},"cpuMilliTotal":{"type":"integer"},"cpuMilliAllocated":{"type\#
        ":"integer"},"memoryBytesTotal":{"type":"integer"},"memoryBytesAllocated":{"type":"integer"},"devices":{"type":"array","\#
        items":{"type":"object","required":["kind","model","simulated","count","shareMilliAllocated"],"properties":{"kind":{"typ\#
        e":"string"},"model":{"type":"string"},"simulated":{"type":"boolean"},"count":{"type":"integer"},"shareMilliAllocated":{\#
        "type":"integer"}}}},"jobsLive":{"type":"integer"},"tasksQueued":{"type":"integer"},"tasksLive":{"type":"integer"},"queu\#
        e":{"type":"array","description":"Waiting tasks by why they do not start.","items":{"type":"object","required":["reason"\#
        ,"tasks","oldestAt"],"properties":{"reason":{"type":"string","enum":["capacity","array_limit","begin_time","dependency"]\#
        },"tasks":{"type":"integer"},"oldestAt":{"type":"string","format":"date-time","description":"since when the oldest job a\#
        mong them waits"}}}},"version":{"type":"string","description":"Release of the coordinator."},"time":{"type":"string","fo\#
        rmat":"date-time","description":"Cluster time now."}}},
        "UsageRecord":{"type":"object","required":["sequence","recordId","schema","revision","final","previousHash","attempt","s\#
        egment","tenant","project","user","nodeId","node","simulated","fence","requested","allocated","deviceModels","start","en\#
        d","endReason","billable","billingRule","measured"],"properties":{"sequence":{"type":"integer","description":"from 1 wit\#
        hout gaps"},"recordId":{"type":"string","pattern":"^[0-9a-f]{32}$"},"schema":{"type":"integer"},"revision":{"type":"inte\#
        ger"},"final":{"type":"boolean"},"previousHash":{"type":"string","pattern":"^[0-9a-f]{64}$"},"attempt":{"type":"string"}\#
        ,"segment":{"type":"integer"},"tenant":{"type":"string"},"project":{"type":"string"},"user":{"type":"string"},"nodeId":{\#
        "type":"string"},"node":{"type":"string"},"simulated":{"type":"boolean"},"fence":{"type":"integer"},"requested":{"$ref":\#
        "#/components/schemas/Resources"},"allocated":{"$ref":"#/components/schemas/Allocation"},"deviceModels":{"type":"array",\#
        "items":{"type":"string"}},"start":{"type":"string","format":"date-time"},"end":{"type":"string","format":"date-time","d\#
        escription":"not included"},"endReason":{"type":"string","enum":["cut","completed","failed","cancelled","timeout","oom",\#
        "infrastructure","node_lost","preempted"]},"billable":{"type":"boolean"},"billingRule":{"type":"integer"},"measured":{"t\#
        ype":["object","null"],"properties":{"elapsedNanoseconds":{"type":"integer"},"cpuTimeNanoseconds":{"type":"integer"},"me\#
        moryPeakBytes":{"type":"integer"}}}}},
        "Key":{"type":"object","required":["id","tenant","user","role","createdAt"],"properties":{"id":{"type":"string"},"tenant\#
        ":{"type":"string"},"user":{"type":"string"},"role":{"$ref":"#/components/schemas/Role"},"createdAt":{"type":"string","f\#
        ormat":"date-time"}}},
        "User":{"type":"object","required":["name","uid","gid"],"properties":{"name":{"type":"string"},"uid":{"type":["integer",\#
        "null"]},"gid":{"type":["integer","null"]}}}}}}
        """#
}
