// Made by OpenAPITests from Protocols/openapi.yaml; not edited by hand.

enum OpenAPIDocument {
    static let json = #"""
        {"openapi":"3.1.0",
        "info":{"title":"Suanpan",
        "version":"1",
        "summary":"Jobs, nodes and usage of one cluster.",
        "description":"Replies give amounts as integers (`cpuMilli`, `memoryBytes`, `shareMilli`) and times in RFC 3339, UTC. In request\#
        s a bare number means cores, bytes, devices or seconds, and strings take units. An unknown field or query parameter is an error \#
        that lists the valid ones. An object of another tenant does not exist (404). A reply to a write carries `Suanpan-Revision`; a re\#
        ad with `minRevision` waits until it shows that state.",
        "license":{"name":"Apache-2.0",
        "identifier":"Apache-2.0"}},
        "servers":[{"url":"http://127.0.0.1:8470","description":"the default of a coordinator"}],
        "security":[{"key":[]}],
        "tags":[{"name":"jobs"},{"name":"nodes"},{"name":"files"},{"name":"usage"},{"name":"shares"},{"name":"access"},{"name":"operatio\#
        ns"}],
        "paths":{"/livez":{"get":{"tags":["operations"],"operationId":"isLive","summary":"The process answers.","security":[],"responses\#
        ":{"200":{"$ref":"#/components/responses/Status"}}}},
        "/readyz":{"get":{"tags":["operations"],"operationId":"isReady","summary":"The coordinator takes requests; 503 while it starts o\#
        r stops.","security":[],"responses":{"200":{"$ref":"#/components/responses/Status"},"503":{"$ref":"#/components/responses/Proble\#
        m"}}}},
        "/openapi.json":{"get":{"tags":["operations"],"operationId":"describe","summary":"This document.","security":[],"responses":{"20\#
        0":{"description":"OpenAPI 3.1","content":{"application/json":{"schema":{"type":"object"}}}}}}},
        "/metrics":{"get":{"tags":["operations"],"operationId":"scrape","summary":"Shows the coordinator's metrics for Prometheus.","des\#
        cription":"Protocols/metrics.md lists them. The text is made anew at most once a second.","parameters":[{"$ref":"#/components/pa\#
        rameters/MinRevision"}],"responses":{"200":{"description":"OpenMetrics 1.0","content":{"application/openmetrics-text; version=1.\#
        0.0; charset=utf-8":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs":{"post":{"tags":["jobs"],"operationId":"submitJob","summary":"Submits a job.","description":"With an `Idempotency-Key\#
        ` the same request may be sent again after a lost reply: it answers 200 with the job that exists. The same key with another body\#
         is refused with 422. Keys are kept for at least 24 hours.","parameters":[{"$ref":"#/components/parameters/IdempotencyKey"},{"na\#
        me":"ifRevision","in":"query","description":"The version of the state that the job was planned for (`POST /v1/plans`); at any ot\#
        her it is refused with 412, `state_moved`.","schema":{"type":"integer","minimum":0}}],"requestBody":{"required":true,"content":{\#
        "application/json":{"schema":{"$ref":"#/components/schemas/JobRequest"},"examples":{"short":{"summary":"One task","value":{"comm\#
        and":["python3","train.py"],"resources":{"cpu":4,"memory":"16GiB","gpu":1},"timeLimit":"2h"}},"gang":{"summary":"A gang of two t\#
        asks that share GPUs, for each index of an array","value":{"name":"digits","kind":"training","project":"default/demo","priority"\#
        :10,"groups":[{"name":"worker","count":2,"resources":{"cpu":"500m","memory":"512MiB","gpu":{"count":1,"share":"250m","memory":"7\#
        000MiB","model":"*A100*|*H100*"}},"constraints":["zone=a"],"command":["python3","train.py"],"env":{"LR":"0.1"}}],"array":"0-9%2"\#
        ,"after":[{"job":"7","when":"ok"}],"retry":{"limit":2,"on":["node_lost","device_fault"]},"checkpoint":{"path":"ckpt","grace":"30\#
        s"},"onNodeLost":"replace","labels":{"team":"vision"}}}}}}},"responses":{"201":{"$ref":"#/components/responses/WrittenJob"},"200\#
        ":{"$ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}},
        "get":{"tags":["jobs"],"operationId":"listJobs","summary":"Lists jobs, newest first.","parameters":[{"name":"state","in":"query"\#
        ,"description":"One of these states; may come more than once, or as a list with commas.","schema":{"type":"array","items":{"$ref\#
        ":"#/components/schemas/State"}}},{"name":"name","in":"query","schema":{"type":"string"}},{"name":"user","in":"query","schema":{\#
        "type":"string"}},{"name":"label","in":"query","description":"`NAME=VALUE`; may come more than once.","schema":{"type":"array","\#
        items":{"type":"string"}}},{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":500,"default":100}},{"$\#
        ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A page\#
        ","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array",\#
        "items":{"$ref":"#/components/schemas/JobSummary"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"getJob","summary":"Shows a job.","parameters":[{"$ref":"#/components/parameters/MinRevisio\#
        n"},{"$ref":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"$ref":"#/components/responses/Job"},"304":{"description\#
        ":"The client has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["jobs"],"operationId":"updateJob","summary":"Changes what a job asks of the queue, holds it, or lets it go.","d\#
        escription":"What is not named stays; for a bound, the text `none` takes it away. A time limit changes only while nothing of the\#
         job runs.","requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false\#
        ,"properties":{"priority":{"type":"integer","minimum":-1000,"maximum":1000},"hold":{"type":"boolean"},"timeLimit":{"$ref":"#/com\#
        ponents/schemas/Amount"},"estimate":{"$ref":"#/components/schemas/Amount"},"deadline":{"type":"string","description":"an instant\#
         (RFC 3339) or `none`"},"maxPending":{"$ref":"#/components/schemas/Amount"},"labels":{"type":"object","additionalProperties":{"t\#
        ype":"string"},"description":"all of them"}}},"example":{"priority":10,"hold":false,"timeLimit":"4h","maxPending":"none"}}}},"re\#
        sponses":{"200":{"$ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/cancel":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "post":{"tags":["jobs"],"operationId":"cancelJob","summary":"Cancels a job; its tasks get their grace.","responses":{"200":{"$re\#
        f":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/retry":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "post":{"tags":["jobs"],"operationId":"retryJob","summary":"Makes a new job like one that has ended; not held, and without a dea\#
        dline that has passed.","parameters":[{"$ref":"#/components/parameters/IdempotencyKey"}],"responses":{"201":{"$ref":"#/component\#
        s/responses/WrittenJob"},"200":{"$ref":"#/components/responses/WrittenJob"},"default":{"$ref":"#/components/responses/Problem"}}\#
        }},
        "/v1/jobs/{id}/explain":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"explainJob","summary":"Says why nothing more of a job starts now, when it may, and what wo\#
        uld let it start now.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The expl\#
        anation","content":{"application/json":{"schema":{"type":"object","required":["job","state","reason","reasons","explanation","po\#
        sition","expectedStart","latestStart","startsAfter","firstExpectedStart","nodeClasses","startsNow","tasks","revision"],"properti\#
        es":{"job":{"type":"string"},"state":{"$ref":"#/components/schemas/State"},"reason":{"$ref":"#/components/schemas/Reason"},"reas\#
        ons":{"type":"array","items":{"type":"string"}},"explanation":{"type":"string"},"position":{"$ref":"#/components/schemas/QueuePo\#
        sition"},"expectedStart":{"$ref":"#/components/schemas/ExpectedStart"},"latestStart":{"$ref":"#/components/schemas/LatestStart"}\#
        ,"startsAfter":{"$ref":"#/components/schemas/StartsAfter"},"nodeClasses":{"type":"array","description":"Why nodes do not hold a \#
        task of it, by class of nodes; those first of which there are most","items":{"type":"object","required":["class","nodes","nodesT\#
        hatFit","nodesKeptForOthers","causes"],"properties":{"class":{"type":"string"},"nodes":{"type":"integer"},"nodesThatFit":{"type"\#
        :"integer"},"nodesKeptForOthers":{"type":"integer","description":"would hold a task were their room not set aside"},"causes":{"t\#
        ype":"array","items":{"type":"object","required":["nodes","sentence"],"properties":{"nodes":{"type":"integer"},"sentence":{"type\#
        ":"string"}}}}}}},"startsNow":{"$ref":"#/components/schemas/StartsNow"},"firstExpectedStart":{"type":["string","null"],"format":\#
        "date-time","description":"what was expected when room was first set aside"},"tasks":{"$ref":"#/components/schemas/TaskCounts"},\#
        "revision":{"type":"integer","description":"the state that the explanation is about"}}},"example":{"job":"12","state":"queued","\#
        reason":"capacity","reasons":["capacity"],"explanation":"needs 4 whole GPUs on one node; 3 of 8 nodes have that many, none has t\#
        hem free","position":{"ahead":2,"waiting":7,"isLeast":false},"expectedStart":"2026-11-23T10:12:00Z","latestStart":"2026-11-23T10\#
        :40:00Z","startsAfter":"9","firstExpectedStart":null,"nodeClasses":[{"class":"8 × NVIDIA A100-SXM4-80GB, 128 cores, 1024 GiB","n\#
        odes":8,"nodesThatFit":0,"nodesKeptForOthers":0,"causes":[{"nodes":8,"sentence":"4 gpu requested, at most 2 free"}]}],"startsNow\#
        ":[{"sentence":"starts now with 2 gpus instead of 4","option":"--gpus 2","changes":[{"field":"groups[0].resources.gpu.count","va\#
        lue":2}]}],"tasks":{"total":2,"queued":2,"starting":0,"running":0,"stopping":0,"succeeded":0,"failed":0,"cancelled":0},"revision\#
        ":4711}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/plans":{"post":{"tags":["jobs"],"operationId":"planJob","summary":"Says what would become of a job if it were submitted now\#
        ; changes nothing.","description":"The body and its checks are those of a submission, but for whether its files are there. What \#
        could never run is an answer, `never`; what is wrong with the request is a problem. A submission with `ifRevision` is accepted o\#
        nly while the plan still holds.","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/sc\#
        hemas/JobRequest"},"examples":{"short":{"summary":"One task","value":{"command":["python3","train.py"],"resources":{"cpu":4,"mem\#
        ory":"16GiB","gpu":1},"timeLimit":"2h"}}}}}},"responses":{"200":{"description":"The plan","content":{"application/json":{"schema\#
        ":{"type":"object","required":["verdict","reason","reasons","explanation","gangs","gangsStarting","placement","position","expect\#
        edStart","latestStart","startsAfter","preempts","expectedRunSeconds","timeLimitSeconds","computeUnitsMilli","computeUnitMilliHou\#
        rs","computeUnitMilliHoursMax","startsNow","revision"],"properties":{"verdict":{"type":"string","enum":["starts","waits","never"\#
        ]},"reason":{"type":["string","null"]},"reasons":{"type":"array","items":{"type":"string"}},"explanation":{"type":["string","nul\#
        l"]},"gangs":{"type":"integer","description":"elements of its array","or one":null},"gangsStarting":{"type":"integer","descripti\#
        on":"those that start at once; 256 are looked at"},"placement":{"type":"array","description":"Where tasks start at once, 256 at \#
        most","items":{"type":"object","required":["gang","rank","node","allocation"],"properties":{"gang":{"type":"integer"},"rank":{"t\#
        ype":"integer"},"node":{"type":"string"},"allocation":{"type":"object"}}}},"position":{"$ref":"#/components/schemas/QueuePositio\#
        n"},"expectedStart":{"$ref":"#/components/schemas/ExpectedStart"},"latestStart":{"$ref":"#/components/schemas/LatestStart"},"sta\#
        rtsAfter":{"$ref":"#/components/schemas/StartsAfter"},"preempts":{"type":"array","description":"What would be stopped so that it\#
        s first gang can start; it goes on later","items":{"type":"object","required":["job","gang","ranForSeconds","graceSeconds"],"pro\#
        perties":{"job":{"type":["string","null"],"description":"null: one that the caller may not see"},"gang":{"type":["integer","null\#
        "]},"ranForSeconds":{"type":"integer"},"graceSeconds":{"type":"integer"}}}},"expectedRunSeconds":{"type":"integer","description"\#
        :"by what it says","or by what its like took":null},"timeLimitSeconds":{"type":["integer","null"]},"computeUnitsMilli":{"type":"\#
        integer","description":"of one gang"},"computeUnitMilliHours":{"type":"integer","description":"of all gangs if they run as long \#
        as is expected"},"computeUnitMilliHoursMax":{"type":["integer","null"],"description":"of all gangs at their time limit"},"starts\#
        Now":{"$ref":"#/components/schemas/StartsNow"},"revision":{"type":"integer","description":"the state that the plan is about"}}}}\#
        }},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/tasks":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"listTasks","summary":"Lists all tasks of a job by index, started or not, each with its las\#
        t attempt.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/componen\#
        ts/parameters/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref\#
        ":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Task"}}}}]}}}},"defa\#
        ult":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/attempts":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"listAttempts","summary":"Lists attempts by task and number.","parameters":[{"$ref":"#/comp\#
        onents/parameters/TaskIndex"},{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/comp\#
        onents/parameters/MinRevision"}],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"\#
        $ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Attempt"}}}}]}}}\#
        },"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/logs":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["jobs"],"operationId":"readLogs","summary":"Streams output of tasks.","description":"Of each task the last attemp\#
        t, unless `attempt` names another. Output of more than one task comes line by line, each prefixed `<index>| `. Following waits f\#
        or attempts to begin, goes on over automatic retries and ends with the job; at most 64 tasks are followed at once, the next ones\#
         as these end. Where output was lost, a line in brackets says how many bytes.","parameters":[{"$ref":"#/components/parameters/Ta\#
        skIndex"},{"name":"stream","in":"query","description":"Without it, both.","schema":{"type":"string","enum":["stdout","stderr"]}}\#
        ,{"name":"follow","in":"query","schema":{"type":"boolean","default":false}},{"name":"tail","in":"query","description":"Only the \#
        last lines of each stream.","schema":{"type":"integer","minimum":0,"maximum":10000}},{"name":"attempt","in":"query","description\#
        ":"The number of an attempt of one task.","schema":{"type":"integer","minimum":1}},{"$ref":"#/components/parameters/MinRevision"\#
        }],"responses":{"200":{"description":"The output, as it comes","content":{"text/plain":{"schema":{"type":"string"},"example":"ep\#
        och 1 loss 0.31\n"}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/jobs/{id}/files":{"parameters":[{"$ref":"#/components/parameters/JobID"}],
        "get":{"tags":["files"],"operationId":"listJobFiles","summary":"What the tasks of a job left behind, of each the last attempt's.\#
        ","parameters":[{"$ref":"#/components/parameters/TaskIndex"},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":\#
        {"description":"The files","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"type":"objec\#
        t","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/JobFile"}}}}]}}}},"default":{"$ref":"#/components\#
        /responses/Problem"}}}},
        "/v1/jobs/{id}/files/{path+}":{"parameters":[{"$ref":"#/components/parameters/JobID"},{"name":"path+","in":"path","required":tru\#
        e,"description":"The file's path, slashes included.","schema":{"type":"string"}}],
        "get":{"tags":["files"],"operationId":"readJobFile","summary":"The content of one file; of the first task that has it, unless on\#
        e is named.","parameters":[{"$ref":"#/components/parameters/TaskIndex"},{"$ref":"#/components/parameters/MinRevision"}],"respons\#
        es":{"200":{"$ref":"#/components/responses/Content"},"206":{"$ref":"#/components/responses/Content"},"304":{"description":"The c\#
        ontent is known"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/blobs/{digest}":{"parameters":[{"$ref":"#/components/parameters/Digest"}],
        "head":{"tags":["files"],"operationId":"findContent","summary":"How much of a content is there.","responses":{"200":{"descriptio\#
        n":"All of it","headers":{"Upload-Offset":{"$ref":"#/components/headers/UploadOffset"}}},"404":{"description":"So many bytes fro\#
        m the start","headers":{"Upload-Offset":{"$ref":"#/components/headers/UploadOffset"}}}}},
        "put":{"tags":["files"],"operationId":"uploadContent","summary":"Uploads a content, or the rest of one that broke off.","descrip\#
        tion":"The whole by its Content-Length, or a part by `Content-Range: bytes FIRST-LAST/TOTAL`, which must begin where what is the\#
        re ends (409 tells where).","requestBody":{"required":true,"content":{"application/octet-stream":{"schema":{"type":"string","for\#
        mat":"binary"}}}},"responses":{"201":{"description":"The content is there and is what its digest says","content":{"application/j\#
        son":{"schema":{"type":"object"}}}},"202":{"description":"More is needed","headers":{"Upload-Offset":{"$ref":"#/components/heade\#
        rs/UploadOffset"}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "get":{"tags":["files"],"operationId":"readContent","summary":"A content that the tenant has uploaded whole.","responses":{"200"\#
        :{"$ref":"#/components/responses/Content"},"206":{"$ref":"#/components/responses/Content"},"304":{"description":"The content is \#
        known"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/trees/{digest}":{"parameters":[{"$ref":"#/components/parameters/Digest"}],
        "put":{"tags":["files"],"operationId":"keepTree","summary":"Keeps a tree, or says which of its contents are missing.","requestBo\#
        dy":{"required":true,"content":{"text/plain":{"schema":{"type":"string"}}}},"responses":{"200":{"$ref":"#/components/responses/T\#
        ree"},"201":{"$ref":"#/components/responses/Tree"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/attempts/{id}/outputs":{"parameters":[{"name":"id","in":"path","required":true,"description":"The attempt.","schema":{"type\#
        ":"string"}}],
        "put":{"tags":["files"],"operationId":"keepOutputs","summary":"Notes which tree an attempt left behind; for its agent alone.","r\#
        equestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["\#
        tree"],"properties":{"tree":{"$ref":"#/components/schemas/Digest"}}}}}},"responses":{"204":{"description":"It is noted"},"defaul\#
        t":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/secrets":{"get":{"tags":["files"],"operationId":"listSecrets","summary":"Names of the tenant's secrets; nobody can read the\#
        ir values.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/componen\#
        ts/parameters/MinRevision"}],"responses":{"200":{"description":"The secrets","content":{"application/json":{"schema":{"$ref":"#/\#
        components/schemas/Page"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/secrets/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "put":{"tags":["files"],"operationId":"setSecret","summary":"Sets a secret of the tenant.","requestBody":{"required":true,"conte\#
        nt":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["value"],"properties":{"value":{"typ\#
        e":"string","writeOnly":true}}}}}},"responses":{"200":{"description":"The secret is set","content":{"application/json":{"schema"\#
        :{"type":"object"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["files"],"operationId":"removeSecret","summary":"Removes a secret.","responses":{"204":{"description":"It is g\#
        one"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/datasets":{"get":{"tags":["files"],"operationId":"listDatasets","summary":"Versions of the tenant's data sets.","parameters\#
        ":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/MinRevisi\#
        on"}],"responses":{"200":{"description":"The versions","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/s\#
        chemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/DatasetVersion"}}}}]}\#
        }}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/datasets/{name}/versions/{version}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/component\#
        s/schemas/Name"}},{"name":"version","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["files"],"operationId":"showDataset","summary":"A version of a data set.","parameters":[{"$ref":"#/components/par\#
        ameters/MinRevision"}],"responses":{"200":{"description":"The version","content":{"application/json":{"schema":{"$ref":"#/compon\#
        ents/schemas/DatasetVersion"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "put":{"tags":["files"],"operationId":"createDataset","summary":"Makes a version of a data set from a tree; it never changes aft\#
        erwards.","requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"\#
        required":["tree"],"properties":{"tree":{"$ref":"#/components/schemas/Digest"}}}}}},"responses":{"201":{"description":"The versi\#
        on","content":{"application/json":{"schema":{"$ref":"#/components/schemas/DatasetVersion"}}}},"default":{"$ref":"#/components/re\#
        sponses/Problem"}}},
        "delete":{"tags":["files"],"operationId":"removeDataset","summary":"Removes a version; jobs that were submitted with it keep it.\#
        ","responses":{"204":{"description":"It is gone"}}}},
        "/v1/tenants":{"get":{"tags":["shares"],"operationId":"listTenants","summary":"Tenants that the caller may see, with what is hel\#
        d under each.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/compo\#
        nents/parameters/MinRevision"}],"responses":{"200":{"description":"The tenants","content":{"application/json":{"schema":{"allOf"\#
        :[{"$ref":"#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/sche\#
        mas/Tenant"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createTenant","summary":"Makes a tenant; 409 where there is one of that name.","request\#
        Body":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/TenantRequest"}}}},"responses":{"20\#
        1":{"description":"A tenant","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Tenant"}}}},"default":{"$ref"\#
        :"#/components/responses/Problem"}}}},
        "/v1/tenants/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showTenant","summary":"A tenant. Its entity tag is of what was said of it, not of what i\#
        s held.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A tenant","content":{"\#
        application/json":{"schema":{"$ref":"#/components/schemas/Tenant"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changeTenant","summary":"Changes what is given; with If-Match, only what was seen (412\#
         otherwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/TenantRequest\#
        "}}}},"responses":{"200":{"description":"A tenant","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Tenant"\#
        }}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removeTenant","summary":"Removes a tenant that nothing uses.","responses":{"204":{"de\#
        scription":"It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/projects":{"get":{"tags":["shares"],"operationId":"listProjects","summary":"Projects that the caller may see, with what is \#
        held under each.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/co\#
        mponents/parameters/MinRevision"}],"responses":{"200":{"description":"The projects","content":{"application/json":{"schema":{"al\#
        lOf":[{"$ref":"#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/\#
        schemas/Project"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createProject","summary":"Makes a project; 409 where there is one of that name.","reque\#
        stBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/ProjectRequest"}}}},"responses":{\#
        "201":{"description":"A project","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Project"}}}},"default":{"\#
        $ref":"#/components/responses/Problem"}}}},
        "/v1/projects/{tenant}/{name}":{"parameters":[{"name":"tenant","in":"path","required":true,"schema":{"$ref":"#/components/schema\#
        s/Name"}},{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showProject","summary":"A project. Its entity tag is of what was said of it, not of what\#
         is held.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A project","content"\#
        :{"application/json":{"schema":{"$ref":"#/components/schemas/Project"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changeProject","summary":"Changes what is given; with If-Match, only what was seen (41\#
        2 otherwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/ProjectReque\#
        st"}}}},"responses":{"200":{"description":"A project","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Proj\#
        ect"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removeProject","summary":"Removes a project that nothing uses.","responses":{"204":{"\#
        description":"It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/queues":{"get":{"tags":["shares"],"operationId":"listQueues","summary":"Queues that the caller may see, with what is held u\#
        nder each.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/componen\#
        ts/parameters/MinRevision"}],"responses":{"200":{"description":"The queues","content":{"application/json":{"schema":{"allOf":[{"\#
        $ref":"#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/\#
        Queue"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createQueue","summary":"Makes a queue; 409 where there is one of that name.","requestBo\#
        dy":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/QueueRequest"}}}},"responses":{"201":\#
        {"description":"A queue","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Queue"}}}},"default":{"$ref":"#/c\#
        omponents/responses/Problem"}}}},
        "/v1/queues/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showQueue","summary":"A queue. Its entity tag is of what was said of it, not of what is \#
        held.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A queue","content":{"app\#
        lication/json":{"schema":{"$ref":"#/components/schemas/Queue"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changeQueue","summary":"Changes what is given; with If-Match, only what was seen (412 \#
        otherwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/QueueRequest"}\#
        }}},"responses":{"200":{"description":"A queue","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Queue"}}}}\#
        ,"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removeQueue","summary":"Removes a queue that nothing uses.","responses":{"204":{"desc\#
        ription":"It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/quotas":{"get":{"tags":["shares"],"operationId":"listQuotas","summary":"Quotas that the caller may see, with what is held u\#
        nder each.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/componen\#
        ts/parameters/MinRevision"}],"responses":{"200":{"description":"The quotas","content":{"application/json":{"schema":{"allOf":[{"\#
        $ref":"#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/\#
        Quota"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createQuota","summary":"Makes a quota; 409 where there is one of that name.","requestBo\#
        dy":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/QuotaRequest"}}}},"responses":{"201":\#
        {"description":"A quota","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Quota"}}}},"default":{"$ref":"#/c\#
        omponents/responses/Problem"}}}},
        "/v1/quotas/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showQuota","summary":"A quota. Its entity tag is of what was said of it, not of what is \#
        held.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A quota","content":{"app\#
        lication/json":{"schema":{"$ref":"#/components/schemas/Quota"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changeQuota","summary":"Changes what is given; with If-Match, only what was seen (412 \#
        otherwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/QuotaRequest"}\#
        }}},"responses":{"200":{"description":"A quota","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Quota"}}}}\#
        ,"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removeQuota","summary":"Removes a quota.","responses":{"204":{"description":"It is go\#
        ne"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/users":{"get":{"tags":["shares"],"operationId":"listUsers","summary":"Users that the caller may see, with what their jobs h\#
        old.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/par\#
        ameters/MinRevision"}],"responses":{"200":{"description":"The users","content":{"application/json":{"schema":{"allOf":[{"$ref":"\#
        #/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/User"}}\#
        }}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createUser","summary":"Makes a user; 409 where there is one of that name.","requestBody\#
        ":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/UserRequest"}}}},"responses":{"201":{"d\#
        escription":"A user","content":{"application/json":{"schema":{"$ref":"#/components/schemas/User"}}}},"default":{"$ref":"#/compon\#
        ents/responses/Problem"}}}},
        "/v1/users/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showUser","summary":"A user. Its entity tag is of what was said of it, not of what is he\#
        ld.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A user","content":{"applic\#
        ation/json":{"schema":{"$ref":"#/components/schemas/User"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changeUser","summary":"Changes what is given; with If-Match, only what was seen (412 o\#
        therwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/UserRequest"}}}\#
        },"responses":{"200":{"description":"A user","content":{"application/json":{"schema":{"$ref":"#/components/schemas/User"}}}},"de\#
        fault":{"$ref":"#/components/responses/Problem"}}},
        "put":{"tags":["shares"],"operationId":"setUser","summary":"Says which UNIX account a user's jobs run as; what else is said of i\#
        t stays.","requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"\#
        description":"Both numbers, or neither for the agent's own account.","properties":{"uid":{"type":["integer","null"],"minimum":1}\#
        ,"gid":{"type":["integer","null"],"minimum":1},"account":{"const":"none","description":"The same as neither"}}},"example":{"uid"\#
        :1001,"gid":1001}}}},"responses":{"200":{"description":"A user","content":{"application/json":{"schema":{"$ref":"#/components/sc\#
        hemas/User"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removeUser","summary":"Removes what was said of a user; 409 while it has keys or jobs\#
        .","responses":{"204":{"description":"It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/pools":{"get":{"tags":["shares"],"operationId":"listPools","summary":"Pools that the caller may use, with what their nodes \#
        have.","parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/pa\#
        rameters/MinRevision"}],"responses":{"200":{"description":"The pools","content":{"application/json":{"schema":{"allOf":[{"$ref":\#
        "#/components/schemas/Page"},{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Pool"}\#
        }}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "post":{"tags":["shares"],"operationId":"createPool","summary":"Makes a pool; 409 where there is one of that name.","requestBody\#
        ":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/PoolRequest"}}}},"responses":{"201":{"d\#
        escription":"A pool","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pool"}}}},"default":{"$ref":"#/compon\#
        ents/responses/Problem"}}}},
        "/v1/pools/{name}":{"parameters":[{"name":"name","in":"path","required":true,"schema":{"$ref":"#/components/schemas/Name"}}],
        "get":{"tags":["shares"],"operationId":"showPool","summary":"A pool. Its entity tag is of what was said of it, not of what is he\#
        ld.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"A pool","content":{"applic\#
        ation/json":{"schema":{"$ref":"#/components/schemas/Pool"}}}},"default":{"$ref":"#/components/responses/Problem"}}},
        "patch":{"tags":["shares"],"operationId":"changePool","summary":"Changes what is given; with If-Match, only what was seen (412 o\#
        therwise).","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/PoolRequest"}}}\#
        },"responses":{"200":{"description":"A pool","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pool"}}}},"de\#
        fault":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["shares"],"operationId":"removePool","summary":"Removes what was said of a pool; 409 while a node or a job is \#
        in it.","responses":{"204":{"description":"It is gone"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/backup":{"get":{"tags":["operations"],"operationId":"readBackup","summary":"Makes a backup of the coordinator and streams i\#
        t.","description":"A tar archive with the journal as it is at one instant, digests and a manifest (Protocols/journal.md). It hol\#
        ds no keys. The connection breaks off when it cannot be finished; an archive without its last member, the manifest, is not whole\#
        . One is made at a time.","parameters":[{"name":"logs","in":"query","description":"Include the output of tasks.","schema":{"type\#
        ":"boolean","default":false}},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The archive","c\#
        ontent":{"application/x-tar":{"schema":{"type":"string","format":"binary"}}}},"default":{"$ref":"#/components/responses/Problem"\#
        }}}},
        "/v1/cluster":{"get":{"tags":["nodes"],"operationId":"getCluster","summary":"Shows totals of the cluster.","parameters":[{"$ref"\#
        :"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"Totals","content":{"application/json":{"schema":{"$r\#
        ef":"#/components/schemas/Cluster"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/centers":{"get":{"tags":["nodes"],"operationId":"listCenters","summary":"Lists centers, as join tokens name them, with what\#
         their nodes have.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"All of them\#
        ","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array",\#
        "items":{"$ref":"#/components/schemas/Center"}}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/compute-units":{"get":{"tags":["nodes"],"operationId":"getComputeUnits","summary":"Shows the table of nominal compute units\#
        , with the partitions that models offer.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"des\#
        cription":"The table","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ComputeUnits"}}}},"default":{"$ref":\#
        "#/components/responses/Problem"}}}},
        "/v1/nodes":{"get":{"tags":["nodes"],"operationId":"listNodes","summary":"Lists nodes in order of enrolment.","parameters":[{"$r\#
        ef":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/MinRevision"}],"\#
        responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"}\#
        ,{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Node"}}}}]}}}},"default":{"$ref":"#/components/res\#
        ponses/Problem"}}}},
        "/v1/nodes/tokens":{"post":{"tags":["nodes"],"operationId":"createJoinToken","summary":"Makes a join token for new nodes; its te\#
        xt is shown once.","requestBody":{"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"propert\#
        ies":{"ttlSeconds":{"type":"integer","minimum":1,"maximum":2592000,"default":3600},"uses":{"type":"integer","minimum":1,"maximum\#
        ":100000,"default":1},"namePrefix":{"type":"string","description":"names of nodes that it may add begin so"},"center":{"type":"s\#
        tring","description":"where its nodes belong","whatever they claim":null},"centerName":{"type":"string","description":"What is s\#
        aid of a center holds for all its nodes: later tokens say the same, or nothing."},"province":{"type":"string"},"city":{"type":"s\#
        tring"},"netAccess":{"type":"boolean","default":false,"description":"nodes of the center reach the internet"},"pool":{"type":"st\#
        ring"},"labels":{"type":"object","additionalProperties":{"type":"string"},"description":"of its nodes, over those that they clai\#
        m; `block` and `rack` say where in the center they are"},"taints":{"type":"array","maxItems":16,"items":{"type":"string"},"descr\#
        iption":"labels that keep off jobs whose constraints do not name them"}}},"example":{"ttlSeconds":600,"uses":8,"center":"lab","p\#
        ool":"a100"}}}},"responses":{"201":{"description":"The token","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revisi\#
        on"}},"content":{"application/json":{"schema":{"type":"object","required":["id","token","command","commandProblem","url","pin","\#
        expiresAt","uses","namePrefix","center","pool","labels","taints"],"properties":{"id":{"type":"string"},"token":{"type":"string",\#
        "pattern":"^spj_"},"command":{"type":["string","null"],"description":"The line to paste on a new node; it holds the token."},"co\#
        mmandProblem":{"type":["string","null"],"description":"why there is no such line"},"url":{"type":"string","description":"how oth\#
        er machines reach this interface"},"pin":{"type":["string","null"],"pattern":"^sha256//","description":"Of the key of the interf\#
        ace's certificate, as `curl --pinnedpubkey` takes it; null for plain http."},"expiresAt":{"type":"string","format":"date-time"},\#
        "uses":{"type":"integer"},"namePrefix":{"type":["string","null"]},"center":{"type":["string","null"]},"pool":{"type":["string","\#
        null"]},"labels":{"type":"object","additionalProperties":{"type":"string"}},"taints":{"type":"array","items":{"type":"string"}}}\#
        }}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"getNode","summary":"Shows a node.","parameters":[{"$ref":"#/components/parameters/MinRevi\#
        sion"},{"$ref":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"description":"The node","headers":{"ETag":{"$ref":"#\#
        /components/headers/ETag"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Node"}}}},"304":{"description"\#
        :"The client has it, by its ETag."},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["nodes"],"operationId":"removeNode","summary":"Removes a node; its key is refused from then on.","responses":{\#
        "204":{"$ref":"#/components/responses/Done"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/topology":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"getTopology","summary":"Shows the tree of packages, caches, cores and devices as hwloc's \#
        XML, compressed.","parameters":[{"$ref":"#/components/parameters/MinRevision"},{"$ref":"#/components/parameters/IfNoneMatch"}],"\#
        responses":{"200":{"description":"The document","headers":{"ETag":{"$ref":"#/components/headers/ETag"},"Content-Encoding":{"sche\#
        ma":{"const":"deflate"}}},"content":{"application/xml":{"schema":{"type":"string"}}}},"304":{"description":"The client has it, b\#
        y its ETag."},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/devices":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "get":{"tags":["nodes"],"operationId":"listDevices","summary":"Lists all devices of a node.","parameters":[{"$ref":"#/components\#
        /parameters/MinRevision"}],"responses":{"200":{"description":"All of them","content":{"application/json":{"schema":{"allOf":[{"$\#
        ref":"#/components/schemas/Page"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Device"}}}}]}}}},\#
        "default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/cordon":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"cordonNode","summary":"Places nothing new on a node.","responses":{"200":{"$ref":"#/comp\#
        onents/responses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/uncordon":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"uncordonNode","summary":"Places on a node again; ends a drain.","responses":{"200":{"$re\#
        f":"#/components/responses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/pool":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"moveNode","summary":"Puts a node into a pool; what runs there goes on.","requestBody":{"\#
        required":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["pool"],"proper\#
        ties":{"pool":{"$ref":"#/components/schemas/Name"}}},"example":{"pool":"a100"}}}},"responses":{"200":{"$ref":"#/components/respo\#
        nses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}},
        "delete":{"tags":["nodes"],"operationId":"takeNodeOutOfItsPool","summary":"Takes a node out of its pool; what runs there goes on\#
        .","responses":{"200":{"$ref":"#/components/responses/WrittenNode"},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/nodes/{id}/confirm-dead":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"confirmNodeDead","summary":"Vouches that the machine is gone, and everything that ran th\#
        ere with it; its tasks end and are tried elsewhere.","description":"Refused (409) while the node is connected. A machine that wa\#
        s not dead may run a task a second time.","responses":{"200":{"$ref":"#/components/responses/WrittenNode"},"default":{"$ref":"#/\#
        components/responses/Problem"}}}},
        "/v1/nodes/{id}/drain":{"parameters":[{"$ref":"#/components/parameters/NodeID"}],
        "post":{"tags":["nodes"],"operationId":"drainNode","summary":"Cordons a node and empties it. What runs may end by itself until t\#
        he deadline; what is left then is stopped and runs elsewhere, which counts as no retry.","requestBody":{"content":{"application/\#
        json":{"schema":{"type":"object","additionalProperties":false,"properties":{"deadlineSeconds":{"type":"integer","minimum":0,"max\#
        imum":31536000,"description":"From now. Without one, what runs is waited for. A later drain replaces a deadline that lies ahead.\#
        "}}},"example":{"deadlineSeconds":1800}}}},"responses":{"200":{"$ref":"#/components/responses/WrittenNode"},"default":{"$ref":"#\#
        /components/responses/Problem"}}}},
        "/install":{"get":{"tags":["nodes"],"operationId":"getInstallScript","summary":"Serves the script by which a machine joins; it w\#
        ants root, and a join token on its standard input.","security":[],"responses":{"200":{"description":"A script for POSIX shells",\#
        "content":{"text/x-shellscript":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/install/{file}":{"parameters":[{"name":"file","in":"path","required":true,"description":"As the script names it.","schema":{"t\#
        ype":"string"}}],
        "get":{"tags":["nodes"],"operationId":"getPackage","summary":"Serves a package of the agent.","security":[],"parameters":[{"$ref\#
        ":"#/components/parameters/IfNoneMatch"}],"responses":{"200":{"description":"The package","headers":{"ETag":{"$ref":"#/component\#
        s/headers/ETag"},"Repr-Digest":{"description":"RFC 9530, SHA-256","schema":{"type":"string"}}},"content":{"application/vnd.debia\#
        n.binary-package":{"schema":{"type":"string","format":"binary"}}}},"304":{"description":"The client has it, by its ETag."},"defa\#
        ult":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/usage/records":{"get":{"tags":["usage"],"operationId":"listUsageRecords","summary":"Lists usage records in order of the led\#
        ger; a record never changes.","parameters":[{"name":"after","in":"query","description":"Records after this sequence number; also\#
         where `nextCursor` goes.","schema":{"type":"integer","minimum":0,"default":0}},{"$ref":"#/components/parameters/Limit"},{"name"\#
        :"job","in":"query","schema":{"type":"string"}},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description\#
        ":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Page"},{"required":["closedThrough"],\#
        "properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/UsageRecord"}},"closedThrough":{"$ref":"#/components\#
        /schemas/ClosedThrough"}}}]}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/usage/summary":{"get":{"tags":["usage"],"operationId":"summariseUsage","summary":"Sums usage of a span of time.","parameter\#
        s":[{"name":"groupBy","in":"query","schema":{"type":"string","enum":["tenant","project","user","job","node"],"default":"tenant"}\#
        },{"name":"from","in":"query","schema":{"type":"string","format":"date-time"}},{"name":"to","in":"query","schema":{"type":"strin\#
        g","format":"date-time"}},{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"One row a group, an\#
        d another for what was simulated in it","content":{"application/json":{"schema":{"type":"object","required":["groupBy","from","t\#
        o","closedThrough","items"],"properties":{"groupBy":{"type":"string"},"from":{"type":["string","null"],"format":"date-time"},"to\#
        ":{"type":["string","null"],"format":"date-time"},"closedThrough":{"$ref":"#/components/schemas/ClosedThrough"},"items":{"type":\#
        "array","items":{"type":"object","required":["group","simulated","records","cpuMilliSeconds","memoryMiBSeconds","deviceMilliSeco\#
        nds","measuredCpuSeconds"],"properties":{"group":{"type":"string"},"simulated":{"type":"boolean"},"records":{"type":"integer"},"\#
        cpuMilliSeconds":{"type":"integer"},"memoryMiBSeconds":{"type":"integer"},"deviceMilliSeconds":{"type":"integer"},"measuredCpuSe\#
        conds":{"type":"integer"}}}}}}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/usage/checkpoint":{"get":{"tags":["usage"],"operationId":"getUsageCheckpoint","summary":"Shows the head of the ledger's has\#
        h chain.","parameters":[{"$ref":"#/components/parameters/MinRevision"}],"responses":{"200":{"description":"The last record's num\#
        ber, and SHA-256 over its canonical bytes","content":{"application/json":{"schema":{"type":"object","required":["clusterId","seq\#
        uence","hash"],"properties":{"clusterId":{"type":"string"},"sequence":{"type":"integer"},"hash":{"type":"string","pattern":"^[0-\#
        9a-f]{64}$"}}}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/keys":{"get":{"tags":["access"],"operationId":"listKeys","summary":"Lists API keys, without their secrets.","parameters":[{\#
        "$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"},{"$ref":"#/components/parameters/MinRevision"}\#
        ],"responses":{"200":{"description":"A page","content":{"application/json":{"schema":{"allOf":[{"$ref":"#/components/schemas/Pag\#
        e"},{"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Key"}}}}]}}}},"default":{"$ref":"#/components/r\#
        esponses/Problem"}}},
        "post":{"tags":["access"],"operationId":"createKey","summary":"Makes an API key; its text is shown once.","requestBody":{"requir\#
        ed":true,"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"required":["tenant","user","role\#
        "],"properties":{"tenant":{"$ref":"#/components/schemas/Name"},"user":{"$ref":"#/components/schemas/Name"},"role":{"$ref":"#/com\#
        ponents/schemas/Role"}}},"example":{"tenant":"vision","user":"li","role":"user"}}}},"responses":{"201":{"description":"The key",\#
        "headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"application/json":{"schema":{"allOf":[{"$ref\#
        ":"#/components/schemas/Key"},{"required":["key"],"properties":{"key":{"type":"string","pattern":"^sp_[0-9a-f]{8}_"}}}]}}}},"def\#
        ault":{"$ref":"#/components/responses/Problem"}}}},
        "/v1/keys/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string","pattern":"^[0-9a-f]{8}$"}}],
        "delete":{"tags":["access"],"operationId":"revokeKey","summary":"Revokes an API key.","responses":{"204":{"$ref":"#/components/r\#
        esponses/Done"},"default":{"$ref":"#/components/responses/Problem"}}}}},
        "components":{"securitySchemes":{"key":{"type":"http","scheme":"bearer","description":"An API key, `sp_<id>_<secret>`."}},
        "parameters":{"JobID":{"name":"id","in":"path","required":true,"schema":{"type":"string","pattern":"^[1-9][0-9]*$"}},
        "NodeID":{"name":"id","in":"path","required":true,"description":"The number or the name of a node.","schema":{"type":"string"}},
        "TaskIndex":{"name":"task","in":"query","description":"The index of a task, bare or as `<job>.<index>`.","schema":{"type":"strin\#
        g"}},
        "Limit":{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}},
        "Cursor":{"name":"cursor","in":"query","description":"The `nextCursor` of the page before.","schema":{"type":"string"}},
        "MinRevision":{"name":"minRevision","in":"query","description":"Waits until the answer shows this state, at most 5 s.","schema":\#
        {"type":"integer","minimum":0}},
        "IfNoneMatch":{"name":"If-None-Match","in":"header","schema":{"type":"string"}},
        "IdempotencyKey":{"name":"Idempotency-Key","in":"header","schema":{"type":"string","minLength":1,"maxLength":128}},
        "Digest":{"name":"digest","in":"path","required":true,"description":"SHA-256 of the content.","schema":{"$ref":"#/components/sch\#
        emas/Digest"}}},
        "headers":{"UploadOffset":{"description":"Bytes that are there.","schema":{"type":"integer"}},
        "Revision":{"description":"The state that shows the change; for `minRevision`.","schema":{"type":"integer"}},
        "ETag":{"schema":{"type":"string"}}},
        "responses":{"Status":{"description":"It is so.","content":{"application/json":{"schema":{"type":"object","properties":{"status"\#
        :{"const":"ok"}}}}}},
        "Content":{"description":"The content","headers":{"ETag":{"$ref":"#/components/headers/ETag"}},"content":{"application/octet-str\#
        eam":{"schema":{"type":"string","format":"binary"}}}},
        "Tree":{"description":"Whether the tree is kept, and what is missing for it","content":{"application/json":{"schema":{"type":"ob\#
        ject","required":["digest","stored","missing"],"properties":{"digest":{"$ref":"#/components/schemas/Digest"},"stored":{"type":"b\#
        oolean"},"missing":{"type":"array","items":{"$ref":"#/components/schemas/Digest"}}}}}}},
        "Done":{"description":"Done.","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}}},
        "Job":{"description":"The job","headers":{"ETag":{"$ref":"#/components/headers/ETag"}},"content":{"application/json":{"schema":{\#
        "$ref":"#/components/schemas/Job"}}}},
        "WrittenJob":{"description":"The job","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"applic\#
        ation/json":{"schema":{"$ref":"#/components/schemas/Job"}}}},
        "WrittenNode":{"description":"The node","headers":{"Suanpan-Revision":{"$ref":"#/components/headers/Revision"}},"content":{"appl\#
        ication/json":{"schema":{"$ref":"#/components/schemas/Node"}}}},
        "Problem":{"description":"A refusal or failure (RFC 9457); 429 and 503 carry `Retry-After`.","content":{"application/problem+jso\#
        n":{"schema":{"$ref":"#/components/schemas/Problem"},"example":{"type":"urn:suanpan:problem:invalid","title":"Invalid request","\#
        status":400,"code":"invalid","detail":"groups[0].resources.cpu: '1Q' — expected cores such as 2, 0.5 or 500m","reasons":[],"retr\#
        yable":false,"errors":[{"code":"invalid","field":"groups[0].resources.cpu","message":"'1Q' — expected cores such as 2, 0.5 or 50\#
        0m"}],"requestId":"6f1c2a"}}}}},
        "schemas":{"Digest":{"type":"string","pattern":"^[0-9a-f]{64}$"},
        "JobFile":{"type":"object","required":["path","task","attempt","type"],"properties":{"path":{"type":"string"},"task":{"type":"in\#
        teger"},"attempt":{"type":"integer"},"type":{"type":"string","enum":["file","directory","link"]},"size":{"type":"integer"},"dige\#
        st":{"$ref":"#/components/schemas/Digest"},"executable":{"type":"boolean"},"target":{"type":"string"}}},
        "DatasetVersion":{"type":"object","required":["name","version","tree","files","size","createdAt"],"properties":{"name":{"$ref":"\#
        #/components/schemas/Name"},"version":{"$ref":"#/components/schemas/Name"},"tree":{"$ref":"#/components/schemas/Digest"},"files"\#
        :{"type":"integer"},"size":{"type":"integer"},"createdAt":{"type":"string","format":"date-time"}}},
        "Name":{"type":"string","pattern":"^[a-z0-9][a-z0-9._-]{0,62}$"},
        "State":{"type":"string","enum":["queued","starting","running","stopping","succeeded","failed","cancelled"]},
        "Role":{"type":"string","enum":["admin","user","viewer","billing"]},
        "Kind":{"type":"string","enum":["training","inference","batch","notebook"]},
        "NodeLossPolicy":{"type":"string","enum":["wait","replace","fail"]},
        "Reason":{"description":"Why something is in its state; null where there is no reason.","type":["string","null"],"enum":["capaci\#
        ty","quota","priority","dependency","begin_time","hold","budget","reservation","unsatisfiable","topology","staging","pulling","p\#
        reempted","oom","timeout","node_lost","unreachable","device_fault","dirty_device","user","infrastructure","exit_code",null]},
        "ClosedThrough":{"type":"string","format":"date-time","description":"Every segment that ends by this instant is in the ledger."}\#
        ,
        "Page":{"type":"object","required":["items","nextCursor"],"properties":{"items":{"type":"array"},"nextCursor":{"type":["string",\#
        "null"],"description":"null on the last page"}}},
        "Problem":{"type":"object","required":["type","title","status","code","detail","reasons","retryable","errors","requestId"],"prop\#
        erties":{"type":{"type":"string","format":"uri"},"title":{"type":"string"},"status":{"type":"integer"},"code":{"type":"string","\#
        description":"stable"},"detail":{"type":"string"},"reasons":{"type":"array","items":{"type":"string"},"description":"the codes o\#
        f explain"},"retryable":{"type":"boolean"},"errors":{"type":"array","items":{"type":"object","required":["code","field","message\#
        "],"properties":{"code":{"type":"string","enum":["invalid","unknown_field","unsupported_field"]},"field":{"type":"string"},"mess\#
        age":{"type":"string"}}}},"requestId":{"type":"string"}}},
        "Amount":{"type":["number","string"]},
        "Command":{"type":"array","items":{"type":"string"},"minItems":1},
        "Environment":{"type":"object","additionalProperties":{"type":"string"},"description":"Values count as secret; replies show `***\#
        `."},
        "Constraints":{"type":"array","items":{"type":"string","examples":["zone=a","zone!=b","fast","node=worker-1"]}},
        "DeviceRequest":{"description":"Whole devices, or a share or an amount of memory of each.","oneOf":[{"type":"integer","minimum":\#
        0},{"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer","minimum":0,"maximum":1024,"default":1}\#
        ,"share":{"$ref":"#/components/schemas/Amount"},"memory":{"$ref":"#/components/schemas/Amount"},"model":{"type":"string","descri\#
        ption":"Patterns of models, such as `*A100*|*H100*`."},"template":{"type":"string","description":"A partition of each device by \#
        the name that its model gives it, such as `1g.10gb` or `vir05_1c_8g`; it says how much, so share and memory are left out."},"com\#
        puteUnits":{"allOf":[{"$ref":"#/components/schemas/Amount"}],"description":"So much in all, instead of count, share, memory and \#
        template."}}}]},
        "ResourcesRequest":{"type":"object","additionalProperties":false,"properties":{"cpu":{"$ref":"#/components/schemas/Amount"},"mem\#
        ory":{"$ref":"#/components/schemas/Amount"},"gpu":{"$ref":"#/components/schemas/DeviceRequest"},"npu":{"$ref":"#/components/sche\#
        mas/DeviceRequest"},"wholeCores":{"type":"boolean","default":false,"description":"The cores are its own: no other task that asks\#
         for whole cores gets them, and tasks that start later keep off them. Rounded up where a core has several processing units."},"c\#
        omputeUnits":{"allOf":[{"$ref":"#/components/schemas/Amount"}],"description":"TFLOPS of dense FP16 on whatever devices have it: \#
        a slice of one that has more, whole ones of one strength otherwise. Only models whose figure is confirmed count."},"anyOf":{"typ\#
        e":"array","minItems":1,"maxItems":8,"description":"Ways of having devices, the best liked first; charged as given. All tasks of\#
         a gang's group have theirs in one way.","items":{"type":"object","additionalProperties":false,"properties":{"gpu":{"$ref":"#/co\#
        mponents/schemas/DeviceRequest"},"npu":{"$ref":"#/components/schemas/DeviceRequest"},"computeUnits":{"$ref":"#/components/schema\#
        s/Amount"}}}}}},
        "Topology":{"type":"object","additionalProperties":false,"description":"How near to each other things are to be: link, pcie and \#
        numa the devices of a task (numa, required, its cores as well); node, rack, block and center the tasks of a gang. Without a word\#
        , a level is preferred, and a gang does not leave its center.","properties":{"link":{"$ref":"#/components/schemas/TopologyWish"}\#
        ,"pcie":{"$ref":"#/components/schemas/TopologyWish"},"numa":{"$ref":"#/components/schemas/TopologyWish"},"node":{"$ref":"#/compo\#
        nents/schemas/TopologyWish"},"rack":{"$ref":"#/components/schemas/TopologyWish"},"block":{"$ref":"#/components/schemas/TopologyW\#
        ish"},"center":{"$ref":"#/components/schemas/TopologyWish"}}},
        "TopologyWish":{"type":"string","enum":["none","prefer","require"]},
        "TopologyLevel":{"type":"string","enum":["link","pcie","numa","node","rack","block","center","cluster"]},
        "GroupRequest":{"type":"object","additionalProperties":false,"required":["command"],"properties":{"name":{"$ref":"#/components/s\#
        chemas/Name"},"count":{"type":"integer","minimum":1,"maximum":4096,"default":1},"resources":{"$ref":"#/components/schemas/Resour\#
        cesRequest"},"constraints":{"$ref":"#/components/schemas/Constraints"},"command":{"$ref":"#/components/schemas/Command"},"env":{\#
        "$ref":"#/components/schemas/Environment"},"workdir":{"type":"string","description":"absolute"},"image":{"type":"null","descript\#
        ion":"not in this version"},"min":{"type":"null","description":"not in this version"},"topology":{"$ref":"#/components/schemas/T\#
        opology"},"spread":{"type":"boolean","default":false,"description":"Tasks of a gang, or of an array, on as many nodes as there a\#
        re, instead of as few as will do."}}},
        "QueuePosition":{"type":["object","null"],"description":"Its place in the order in which jobs are tried, as things stand; null w\#
        here it could not start for reasons of its own","required":["ahead","waiting","isLeast"],"properties":{"ahead":{"type":"integer"\#
        },"waiting":{"type":"integer","description":"all jobs in the order"},"isLeast":{"type":"boolean","description":"there are so man\#
        y that not all were counted"}}},
        "ExpectedStart":{"type":["string","null"],"format":"date-time","description":"If it were the next and running work ended as expe\#
        cted, or on room that is set aside for it; null where nothing tells"},
        "LatestStart":{"type":["string","null"],"format":"date-time","description":"If all that goes before it now did so; others may st\#
        ill come who go first"},
        "StartsAfter":{"type":["string","null"],"description":"The job whose end it waits for last"},
        "StartsNow":{"type":"array","description":"Changes of the job, each of which alone would let it start at once","items":{"type":"\#
        object","required":["sentence","option","changes"],"properties":{"sentence":{"type":"string"},"option":{"type":["string","null"]\#
        ,"description":"for the command line; null where something is to be left out"},"changes":{"type":"array","items":{"type":"object\#
        ","required":["field","value"],"properties":{"field":{"type":"string","description":"of the job's body"},"value":{}}}}}}},
        "JobRequest":{"type":"object","additionalProperties":false,"description":"Either `groups`, or the fields of one group at the top\#
         level; that group is then called `main`. Fields marked as not in this version may be null or empty.","properties":{"name":{"des\#
        cription":"Without it, the program's name.","$ref":"#/components/schemas/Name"},"kind":{"default":"batch","$ref":"#/components/s\#
        chemas/Kind"},"project":{"type":"string","description":"`PROJECT` or `TENANT/PROJECT`","default":"default"},"queue":{"default":"\#
        default","$ref":"#/components/schemas/Name"},"priority":{"type":"integer","minimum":-1000,"maximum":1000,"default":0},"preemptib\#
        le":{"type":"boolean","default":false},"groups":{"type":"array","items":{"$ref":"#/components/schemas/GroupRequest"},"minItems":\#
        1,"maxItems":64},"count":{"type":"integer","minimum":1,"maximum":4096,"default":1},"resources":{"$ref":"#/components/schemas/Res\#
        ourcesRequest"},"constraints":{"$ref":"#/components/schemas/Constraints"},"command":{"$ref":"#/components/schemas/Command"},"env\#
        ":{"$ref":"#/components/schemas/Environment"},"workdir":{"type":"string"},"array":{"type":["string","null"],"description":"`FIRS\#
        T-LAST[%LIMIT]`"},"after":{"type":"array","maxItems":1000,"items":{"type":"object","additionalProperties":false,"required":["job\#
        "],"properties":{"job":{"type":["string","integer"]},"when":{"type":"string","enum":["ok","any","fail"],"default":"ok"}}}},"begi\#
        nAt":{"type":["string","null"],"format":"date-time"},"timeLimit":{"$ref":"#/components/schemas/Amount"},"estimate":{"$ref":"#/co\#
        mponents/schemas/Amount","description":"How long a task is expected to run. It is not stopped then."},"grace":{"$ref":"#/compone\#
        nts/schemas/Amount"},"retry":{"type":"object","additionalProperties":false,"properties":{"limit":{"type":"integer","minimum":0,"\#
        maximum":1000},"on":{"type":"array","items":{"type":"string","enum":["node_lost","device_fault","preempted","exit_code","oom","t\#
        imeout","infrastructure","staging"]}},"limits":{"type":"object","description":"Of single causes, further attempts after the firs\#
        t that ended so; at most the limit","additionalProperties":{"type":"integer","minimum":0}},"backoff":{"$ref":"#/components/schem\#
        as/Amount","description":"The wait before the second attempt; each later one is twice as long. 1 s, and 5 min at most, where not\#
        hing is said."}}},"checkpoint":{"type":"object","additionalProperties":false,"properties":{"path":{"type":"string"},"interval":{\#
        "$ref":"#/components/schemas/Amount","description":"About how often it writes one; what is lost when it is stopped is no more"},\#
        "grace":{"$ref":"#/components/schemas/Amount"},"signal":{"enum":["SIGHUP","SIGINT","SIGUSR1","SIGUSR2","SIGTERM","SIGURG"],"desc\#
        ription":"Sent when it has to give way, so that it writes a checkpoint; SIGTERM follows when it has, or near the end of its grac\#
        e"}}},"pool":{"type":"string","description":"Only nodes of this pool"},"recur":{"type":"object","additionalProperties":false,"de\#
        scription":"When it comes again: `every` or `cron`. Each run is a job of its own; the next waits from when one begins.","propert\#
        ies":{"every":{"$ref":"#/components/schemas/Amount"},"cron":{"type":"string","description":"As crontab(5), or @hourly, @daily, @\#
        weekly, @monthly, @yearly"},"offset":{"type":"string","default":"Z","description":"How far the clock of `cron` is ahead of UTC, \#
        such as +08:00"},"overlap":{"type":"boolean","default":false,"description":"A run may begin while the one before it goes on"},"u\#
        ntil":{"type":["string","null"],"format":"date-time","description":"No run is due later"}}},"onNodeLost":{"default":"wait","$ref\#
        ":"#/components/schemas/NodeLossPolicy"},"labels":{"type":"object","additionalProperties":{"type":"string"},"maxProperties":64},\#
        "image":{"type":"null","description":"not in this version"},"min":{"type":"null","description":"not in this version"},"topology"\#
        :{"$ref":"#/components/schemas/Topology"},"spread":{"type":"boolean","default":false,"description":"Tasks of a gang, or of an ar\#
        ray, on as many nodes as there are, instead of as few as will do."},"deadline":{"type":["string","null"],"format":"date-time","d\#
        escription":"What has not ended by then is stopped or never starts"},"maxPending":{"$ref":"#/components/schemas/Amount","descrip\#
        tion":"For so long it may wait for its first start, from its submission or begin time"},"hold":{"type":"boolean","default":false\#
        ,"description":"Nothing of it starts before it is released"},"ports":{"type":"array","maxItems":0,"description":"not in this ver\#
        sion"},"inputs":{"type":"array","maxItems":32,"description":"Put into every task's work directory before it starts, in this orde\#
        r.","items":{"type":"object","additionalProperties":false,"required":["from"],"properties":{"from":{"type":"string","description\#
        ":"`tree:DIGEST`, `dataset:NAME@VERSION`, or an http://, https:// or s3:// address"},"to":{"type":"string","default":".","descri\#
        ption":"A path below the work directory."},"digest":{"allOf":[{"$ref":"#/components/schemas/Digest"}],"description":"Of what is \#
        expected at an http:// or https:// address."}}}},"outputs":{"type":"array","maxItems":32,"description":"Kept with the job when a\#
         task has ended.","items":{"type":"object","additionalProperties":false,"required":["from"],"properties":{"from":{"type":"string\#
        ","description":"A path below the work directory."},"to":{"type":"string","description":"Where it stands among the job's files, \#
        the same path by default; or `s3://BUCKET/PATH`, below which each task has a folder of its own."}}}},"centers":{"type":"array","\#
        maxItems":32,"items":{"$ref":"#/components/schemas/Name"},"description":"Where it may run; without any","everywhere.":null},"nee\#
        dsInternet":{"type":"boolean","default":false,"description":"It runs only in centers with network access."},"volumes":{"type":"a\#
        rray","maxItems":0,"description":"not in this version"},"secrets":{"type":"array","maxItems":32,"description":"Secrets of the te\#
        nant, each a file in SUANPAN_SECRETS_DIR or, with `env`, a variable.","items":{"oneOf":[{"$ref":"#/components/schemas/Name"},{"t\#
        ype":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"$ref":"#/components/schemas/Name"},"env":{\#
        "type":"string"}}}]}}}},
        "TaskCounts":{"type":"object","required":["total","queued","starting","running","stopping","succeeded","failed","cancelled"],"pr\#
        operties":{"total":{"type":"integer"},"queued":{"type":"integer"},"starting":{"type":"integer"},"running":{"type":"integer"},"st\#
        opping":{"type":"integer"},"succeeded":{"type":"integer"},"failed":{"type":"integer"},"cancelled":{"type":"integer"}}},
        "Resources":{"type":"object","required":["cpuMilli","memoryBytes","wholeCores","devices","alternatives","topology","spread"],"pr\#
        operties":{"cpuMilli":{"type":"integer"},"memoryBytes":{"type":"integer"},"wholeCores":{"type":"boolean"},"devices":{"oneOf":[{"\#
        type":"null"},{"$ref":"#/components/schemas/Devices"}]},"alternatives":{"type":"array","items":{"$ref":"#/components/schemas/Dev\#
        ices"},"description":"What will do instead, in the order in which it is liked."},"topology":{"type":"object","additionalProperti\#
        es":{"$ref":"#/components/schemas/TopologyWish"},"description":"What was said of levels."},"spread":{"type":"boolean"}}},
        "Devices":{"type":"object","required":["kind","count","shareMilli","memoryBytes","model","template","computeUnitsMilli"],"proper\#
        ties":{"kind":{"type":["string","null"],"enum":["gpu","npu","other",null]},"count":{"type":"integer","description":"0 where comp\#
        ute units say how much"},"shareMilli":{"type":"integer","description":"1000 is a whole device; 0 where something else says how m\#
        uch"},"memoryBytes":{"type":"integer"},"model":{"type":["string","null"]},"template":{"type":["string","null"]},"computeUnitsMil\#
        li":{"type":"integer"}}},
        "Allocation":{"type":"object","required":["cpuMilli","memoryBytes","devices","processors","numaNode","locality"],"properties":{"\#
        cpuMilli":{"type":"integer"},"memoryBytes":{"type":"integer"},"devices":{"type":"array","items":{"type":"object","required":["in\#
        dex","shareMilli","memoryBytes","template","slots"],"properties":{"index":{"type":"integer"},"shareMilli":{"type":"integer"},"me\#
        moryBytes":{"type":"integer"},"template":{"type":["string","null"],"description":"of a partition"},"slots":{"type":["integer","n\#
        ull"],"description":"A bit for each slot of the device that the partition takes."}}}},"processors":{"type":"array","items":{"typ\#
        e":"integer"},"description":"Processing units of its own, by the operating system's indexes."},"numaNode":{"type":["integer","nu\#
        ll"],"description":"whose processors it is bound to"},"locality":{"type":"object","required":["devices","gang"],"properties":{"d\#
        evices":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/TopologyLevel"}],"description":"The tightest level that holds it\#
        s devices; null for fewer than two."},"gang":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/TopologyLevel"}],"descripti\#
        on":"The tightest level that holds all tasks of its gang; null for a task alone."}}}}},
        "JobSummary":{"type":"object","required":["id","name","kind","project","user","queue","priority","preemptible","state","reason",\#
        "submittedAt","startedAt","finishedAt","exitCode","tasks","array","beginAt","timeLimitSeconds","estimateSeconds","deadline","max\#
        PendingSeconds","hold","graceSeconds","retry","checkpointPath","checkpointIntervalSeconds","checkpointSignal","pool","recur","on\#
        NodeLost","labels","retryOf"],"properties":{"id":{"type":"string"},"name":{"$ref":"#/components/schemas/Name"},"kind":{"$ref":"#\#
        /components/schemas/Kind"},"project":{"type":"string","description":"`tenant/project`"},"user":{"type":"string"},"queue":{"type"\#
        :"string"},"priority":{"type":"integer"},"preemptible":{"type":"boolean"},"state":{"$ref":"#/components/schemas/State"},"reason"\#
        :{"$ref":"#/components/schemas/Reason"},"submittedAt":{"type":"string","format":"date-time"},"startedAt":{"type":["string","null\#
        "],"format":"date-time"},"finishedAt":{"type":["string","null"],"format":"date-time"},"exitCode":{"type":["integer","null"]},"ta\#
        sks":{"$ref":"#/components/schemas/TaskCounts"},"array":{"type":["string","null"]},"beginAt":{"type":["string","null"],"format":\#
        "date-time"},"timeLimitSeconds":{"type":["integer","null"]},"estimateSeconds":{"type":["integer","null"]},"deadline":{"type":["s\#
        tring","null"],"format":"date-time"},"maxPendingSeconds":{"type":["integer","null"]},"hold":{"type":"boolean"},"graceSeconds":{"\#
        type":"integer"},"retry":{"type":"object","properties":{"limit":{"type":"integer"},"on":{"type":"array","items":{"type":"string"\#
        }},"limits":{"type":"object","additionalProperties":{"type":"integer"}},"backoffSeconds":{"type":["integer","null"]}}},"checkpoi\#
        ntPath":{"type":["string","null"]},"checkpointIntervalSeconds":{"type":["integer","null"]},"checkpointSignal":{"type":["string",\#
        "null"]},"pool":{"type":["string","null"]},"recur":{"type":["object","null"],"description":"When it comes again; all its runs ha\#
        ve the label `series` with the number of the first","required":["overlap","until"],"properties":{"everySeconds":{"type":"integer\#
        "},"cron":{"type":"string"},"offset":{"type":"string","description":"How far the clock of `cron` is ahead of UTC"},"overlap":{"t\#
        ype":"boolean"},"until":{"type":["string","null"],"format":"date-time"}}},"onNodeLost":{"$ref":"#/components/schemas/NodeLossPol\#
        icy"},"labels":{"type":"object","additionalProperties":{"type":"string"}},"retryOf":{"type":["string","null"]}}},
        "Job":{"allOf":[{"$ref":"#/components/schemas/JobSummary"},{"required":["message","groups","after","inputs","outputs","secrets",\#
        "centers","needsInternet","traceParent"],"properties":{"inputs":{"type":"array","items":{"type":"object","required":["from","to"\#
        ],"properties":{"from":{"type":"string"},"to":{"type":"string"}}}},"outputs":{"type":"array","items":{"type":"object","required"\#
        :["from","to"],"properties":{"from":{"type":"string"},"to":{"type":"string"}}}},"secrets":{"type":"array","items":{"type":"objec\#
        t","required":["name","env"],"properties":{"name":{"type":"string"},"env":{"type":["string","null"]}}}},"centers":{"type":"array\#
        ","items":{"type":"string"}},"needsInternet":{"type":"boolean"},"traceParent":{"type":["string","null"],"description":"W3C trace\#
         context of the submission"},"message":{"type":["string","null"],"description":"why it waits"},"groups":{"type":"array","items":\#
        {"type":"object","required":["name","count","resources","constraints","command","env","workdir"],"properties":{"name":{"type":"s\#
        tring"},"count":{"type":"integer"},"resources":{"$ref":"#/components/schemas/Resources"},"constraints":{"$ref":"#/components/sch\#
        emas/Constraints"},"command":{"$ref":"#/components/schemas/Command"},"env":{"$ref":"#/components/schemas/Environment"},"workdir"\#
        :{"type":["string","null"]}}}},"after":{"type":"array","items":{"type":"object","required":["job","when"],"properties":{"job":{"\#
        type":"string"},"when":{"type":"string"}}}}}}]},
        "Task":{"type":"object","required":["id","index","group","rank","arrayIndex","state","reason","attempt","nodeId","node","started\#
        At","endedAt","exitCode"],"properties":{"id":{"type":"string","examples":["12.3"]},"index":{"type":"integer"},"group":{"type":"s\#
        tring"},"rank":{"type":"integer"},"arrayIndex":{"type":["integer","null"]},"state":{"$ref":"#/components/schemas/State"},"reason\#
        ":{"$ref":"#/components/schemas/Reason"},"attempt":{"type":["integer","null"],"description":"number of its last attempt"},"nodeI\#
        d":{"type":["string","null"]},"node":{"type":["string","null"]},"startedAt":{"type":["string","null"],"format":"date-time","desc\#
        ription":"when it began to run; of an attempt that was over at the first word of it, its end less the time it took"},"endedAt":{\#
        "type":["string","null"],"format":"date-time"},"exitCode":{"type":["integer","null"]}}},
        "Attempt":{"type":"object","required":["id","task","number","state","reason","nodeId","node","fence","allocation","placedAt","st\#
        artedAt","endedAt","end"],"properties":{"id":{"type":"string","examples":["12.3.1"]},"task":{"type":"string"},"number":{"type":"\#
        integer"},"state":{"$ref":"#/components/schemas/State"},"reason":{"$ref":"#/components/schemas/Reason"},"nodeId":{"type":"string\#
        "},"node":{"type":["string","null"]},"fence":{"type":"integer"},"allocation":{"$ref":"#/components/schemas/Allocation"},"placedA\#
        t":{"type":"string","format":"date-time"},"startedAt":{"type":["string","null"],"format":"date-time"},"endedAt":{"type":["string\#
        ","null"],"format":"date-time"},"end":{"type":["object","null"],"properties":{"cause":{"type":"string","enum":["exited","signall\#
        ed","oom","timeout","stopped","not_found","cannot_execute","infrastructure","lease_expired"]},"exitCode":{"type":"integer"},"sig\#
        nal":{"type":["integer","null"]},"elapsedMilliseconds":{"type":"integer"},"cpuTimeMilliseconds":{"type":"integer"},"memoryPeakBy\#
        tes":{"type":"integer"},"stdoutBytes":{"type":"integer"},"stderrBytes":{"type":"integer"},"droppedBytes":{"type":"integer"},"det\#
        ail":{"type":["string","null"]}}}}},
        "Node":{"type":"object","required":["id","name","state","drain","center","pool","simulated","address","cpuMilli","cpuMilliAlloca\#
        ted","memoryBytes","memoryBytesAllocated","deviceCount","deviceShareMilliAllocated","cpuMilliUsed","memoryBytesUsed","workBytesF\#
        ree","topology","labels","taints","liveAttemptCount","condition","dirtyAttemptCount","enrolledAt","registeredAt"],"properties":{\#
        "id":{"type":"string"},"name":{"type":"string"},"state":{"type":"string","enum":["unregistered","ready","suspect","unreachable",\#
        "cordoned","draining","drained","quarantined"]},"drain":{"type":["object","null"],"description":"set while the node is to be emp\#
        ty, whatever its state","required":["deadline","done"],"properties":{"deadline":{"type":["string","null"],"format":"date-time","\#
        description":"null: what runs there is waited for"},"done":{"type":"boolean","description":"nothing is left there"}}},"center":{\#
        "type":["string","null"],"description":"as its join token had it"},"pool":{"type":["string","null"],"description":"As its join t\#
        oken had it, or where it was moved; null too where the caller may not use it"},"simulated":{"type":["boolean","null"]},"address"\#
        :{"type":["string","null"]},"cpuMilli":{"type":["integer","null"]},"cpuMilliAllocated":{"type":"integer"},"memoryBytes":{"type":\#
        ["integer","null"]},"memoryBytesAllocated":{"type":"integer"},"deviceCount":{"type":"integer"},"deviceShareMilliAllocated":{"typ\#
        e":"integer","description":"1000 for each device that is wholly in use"},"cpuMilliUsed":{"type":["integer","null"],"description"\#
        :"Measured between the last two heartbeats, all processes of the node. Null when nothing is heard."},"memoryBytesUsed":{"type":[\#
        "integer","null"],"description":"Measured, all processes of the node."},"workBytesFree":{"type":["integer","null"],"description"\#
        :"Left on the disk of the work directory."},"topology":{"type":["object","null"],"properties":{"architecture":{"type":"string"},\#
        "cpuModel":{"type":"string"},"packages":{"type":"integer"},"numaNodes":{"type":"integer"},"level3Caches":{"type":"integer"},"lev\#
        el2Caches":{"type":"integer"},"cores":{"type":"integer"},"processingUnits":{"type":"integer"},"pciDevices":{"type":"integer"},"o\#
        sDevices":{"type":"integer"}}},"labels":{"type":"object","additionalProperties":{"type":"string"}},"taints":{"type":"array","ite\#
        ms":{"type":"string"},"description":"Labels that keep off jobs whose constraints do not name them."},"liveAttemptCount":{"type":\#
        "integer"},"liveAttempts":{"type":"array","items":{"type":"string"},"description":"for administrators"},"condition":{"type":"str\#
        ing","enum":["good","disk_full"],"description":"what the node says of itself; it takes new work when good"},"dirtyAttemptCount":\#
        {"type":"integer","description":"attempts that were given up and may still hold what they were granted there"},"dirtyAttempts":{\#
        "type":"array","items":{"type":"string"},"description":"for administrators"},"enrolledAt":{"type":"string","format":"date-time"}\#
        ,"registeredAt":{"type":["string","null"],"format":"date-time"}}},
        "Device":{"type":"object","required":["index","kind","vendor","model","uuid","pciAddress","memoryBytes","memoryBytesAllocated","\#
        shareMilliAllocated","numaNode","pcieSwitch","linkGroup","partitionable","computeUnitsMilli","computeUnitsConfirmed"],"propertie\#
        s":{"index":{"type":"integer"},"kind":{"type":"string","enum":["gpu","npu","other"]},"vendor":{"type":"string"},"model":{"type":\#
        "string"},"uuid":{"type":"string"},"pciAddress":{"type":["string","null"]},"memoryBytes":{"type":"integer"},"memoryBytesAllocate\#
        d":{"type":"integer"},"shareMilliAllocated":{"type":"integer"},"numaNode":{"type":["integer","null"]},"pcieSwitch":{"type":["int\#
        eger","null"],"description":"Devices with the same number are below one PCIe switch."},"linkGroup":{"type":["integer","null"],"d\#
        escription":"Devices with the same number reach each other over links of their own."},"partitionable":{"type":"boolean","descrip\#
        tion":"Its agent makes the partitions that the templates of its model describe."},"computeUnitsMilli":{"type":["integer","null"]\#
        ,"description":"Nominal; null for a model that is not known."},"computeUnitsConfirmed":{"type":["boolean","null"],"description":\#
        "What is not confirmed counts for nothing."}}},
        "Center":{"type":"object","required":["id","name","province","city","netAccess","nodes","nodesReady","cpuMilliTotal","memoryByte\#
        sTotal","devices","computeUnitsMilliTotal"],"properties":{"id":{"type":"string"},"name":{"type":["string","null"]},"province":{"\#
        type":["string","null"]},"city":{"type":["string","null"]},"netAccess":{"type":"boolean","description":"Its nodes reach the inte\#
        rnet."},"nodes":{"type":"integer"},"nodesReady":{"type":"integer"},"cpuMilliTotal":{"type":"integer"},"memoryBytesTotal":{"type"\#
        :"integer"},"devices":{"type":"integer"},"computeUnitsMilliTotal":{"type":"integer","description":"Of devices whose strength is \#
        confirmed."}}},
        "ComputeUnits":{"type":"object","required":["version","models"],"properties":{"version":{"type":"integer","description":"Of the \#
        table; any change of a row raises it."},"models":{"type":"array","items":{"type":"object","required":["name","vendor","kind","co\#
        mputeUnitsMilli","memoryBytes","source","confirmed","templates","slots","templateSource"],"properties":{"name":{"type":"string"}\#
        ,"vendor":{"type":"string"},"kind":{"type":"string","enum":["gpu","npu","other"]},"computeUnitsMilli":{"type":"integer","descrip\#
        tion":"Dense FP16 or BF16 in GFLOPS."},"memoryBytes":{"type":"integer"},"source":{"type":"string","description":"Where the figur\#
        e is from."},"confirmed":{"type":"boolean","description":"What is not confirmed never prices."},"templates":{"type":"array","des\#
        cription":"Partitions that the model offers.","items":{"type":"object","required":["name","shareMilli","slots"],"properties":{"n\#
        ame":{"type":"string"},"shareMilli":{"type":"integer","description":"Of the device's strength."},"slots":{"type":"integer","desc\#
        ription":"Of the device's equal parts of memory."}}}},"slots":{"type":["integer","null"],"description":"Equal parts of the devic\#
        e's memory."},"templateSource":{"type":["string","null"]}}}}}},
        "Cluster":{"type":"object","required":["id","epoch","outdated","revision","nodesRegistered","nodesReady","cpuMilliTotal","cpuMil\#
        liAllocated","memoryBytesTotal","memoryBytesAllocated","computeUnitsMilliTotal","computeUnitsMilliAllocated","computeUnitsTable"\#
        ,"devices","jobsLive","tasksQueued","tasksLive","queue","version","time"],"properties":{"id":{"type":"string"},"epoch":{"type":"\#
        integer"},"outdated":{"type":"boolean","description":"nodes know of a later time than this state; nothing is accepted or placed"\#
        },"revision":{"type":"integer"},"nodesRegistered":{"type":"integer"},"nodesReady":{"type":"integer"},"cpuMilliTotal":{"type":"in\#
        teger"},"cpuMilliAllocated":{"type":"integer"},"memoryBytesTotal":{"type":"integer"},"memoryBytesAllocated":{"type":"integer"},"\#
        computeUnitsMilliTotal":{"type":"integer","description":"Of devices whose strength is confirmed."},"computeUnitsMilliAllocated":\#
        {"type":"integer"},"computeUnitsTable":{"type":"integer","description":"Version of the table of nominal figures."},"devices":{"t\#
        ype":"array","items":{"type":"object","required":["kind","model","simulated","count","shareMilliAllocated","computeUnitsMilliEac\#
        h","computeUnitsConfirmed"],"properties":{"kind":{"type":"string"},"model":{"type":"string"},"simulated":{"type":"boolean"},"cou\#
        nt":{"type":"integer"},"shareMilliAllocated":{"type":"integer"},"computeUnitsMilliEach":{"type":["integer","null"]},"computeUnit\#
        sConfirmed":{"type":["boolean","null"]}}}},"jobsLive":{"type":"integer"},"tasksQueued":{"type":"integer"},"tasksLive":{"type":"i\#
        nteger"},"queue":{"type":"array","description":"Waiting tasks by why they do not start.","items":{"type":"object","required":["r\#
        eason","tasks","oldestAt"],"properties":{"reason":{"type":"string","enum":["capacity","array_limit","begin_time","dependency","q\#
        uota","hold"]},"tasks":{"type":"integer"},"oldestAt":{"type":"string","format":"date-time","description":"since when the oldest \#
        job among them waits"}}}},"version":{"type":"string","description":"Release of the coordinator."},"time":{"type":"string","forma\#
        t":"date-time","description":"Cluster time now."}}},
        "UsageRecord":{"type":"object","required":["sequence","recordId","schema","revision","final","previousHash","attempt","segment",\#
        "tenant","project","user","nodeId","node","simulated","fence","requested","allocated","deviceModels","start","end","endReason","\#
        billable","billingRule","measured"],"properties":{"sequence":{"type":"integer","description":"from 1 without gaps"},"recordId":{\#
        "type":"string","pattern":"^[0-9a-f]{32}$"},"schema":{"type":"integer"},"revision":{"type":"integer"},"final":{"type":"boolean"}\#
        ,"previousHash":{"type":"string","pattern":"^[0-9a-f]{64}$"},"attempt":{"type":"string"},"segment":{"type":"integer"},"tenant":{\#
        "type":"string"},"project":{"type":"string"},"user":{"type":"string"},"nodeId":{"type":"string"},"node":{"type":"string"},"simul\#
        ated":{"type":"boolean"},"fence":{"type":"integer"},"requested":{"$ref":"#/components/schemas/Resources"},"allocated":{"$ref":"#\#
        /components/schemas/Allocation"},"deviceModels":{"type":"array","items":{"type":"string"}},"start":{"type":"string","format":"da\#
        te-time"},"end":{"type":"string","format":"date-time","description":"not included"},"endReason":{"type":"string","enum":["cut","\#
        completed","failed","cancelled","timeout","oom","infrastructure","node_lost","preempted"]},"billable":{"type":"boolean"},"billin\#
        gRule":{"type":"integer"},"measured":{"type":["object","null"],"properties":{"elapsedNanoseconds":{"type":"integer"},"cpuTimeNan\#
        oseconds":{"type":"integer"},"memoryPeakBytes":{"type":"integer"}}}}},
        "Amounts":{"description":"What is not there is not limited.","type":"object","properties":{"cpuMilli":{"type":"integer","minimum\#
        ":0},"memoryBytes":{"type":"integer","minimum":0},"deviceMilli":{"type":"integer","minimum":0,"description":"Thousandths of devi\#
        ces of any kind"},"computeUnitsMilli":{"type":"integer","minimum":0}}},
        "AmountsRequest":{"description":"Amounts that are given are changed; the text `none` takes one away, or all of them.","oneOf":[{\#
        "type":"string","const":"none"},{"type":"object","additionalProperties":false,"properties":{"cpu":{"type":["string","number"],"e\#
        xamples":["64","500m"]},"memory":{"type":["string","integer"],"examples":["1TiB"]},"devices":{"type":["string","number"],"exampl\#
        es":["8","0.5"]},"computeUnits":{"type":["string","number"],"examples":["2000"]}}}]},
        "ShareUse":{"description":"What is held now, and in thousandths of the cluster what was held of late.","type":"object","properti\#
        es":{"user":{"type":"string"},"cpuMilli":{"type":"integer"},"memoryBytes":{"type":"integer"},"deviceMilli":{"type":"integer"},"c\#
        omputeUnitsMilli":{"type":"integer"},"runningTasks":{"type":"integer"},"jobs":{"type":"integer"},"queuedJobs":{"type":"integer"}\#
        ,"recentMilli":{"type":"integer"},"models":{"type":"array","items":{"type":"object","properties":{"model":{"type":"string"},"dev\#
        iceMilli":{"type":"integer"}}}}}},
        "Tenant":{"type":"object","required":["id","name","weight","use"],"properties":{"id":{"type":"string"},"name":{"$ref":"#/compone\#
        nts/schemas/Name"},"weight":{"type":"integer","minimum":1,"maximum":1000},"use":{"$ref":"#/components/schemas/ShareUse"}}},
        "TenantRequest":{"description":"`name` when it is made, and only then.","type":"object","additionalProperties":false,"properties\#
        ":{"name":{"$ref":"#/components/schemas/Name"},"weight":{"type":"integer","minimum":1,"maximum":1000,"default":1}}},
        "Project":{"type":"object","required":["id","name","tenant","weight","use"],"properties":{"id":{"type":"string","examples":["vis\#
        ion/demo"]},"name":{"$ref":"#/components/schemas/Name"},"tenant":{"$ref":"#/components/schemas/Name"},"weight":{"type":"integer"\#
        ,"minimum":1,"maximum":1000},"use":{"$ref":"#/components/schemas/ShareUse"}}},
        "ProjectRequest":{"description":"`name` and `tenant` when it is made, and only then.","type":"object","additionalProperties":fal\#
        se,"properties":{"name":{"$ref":"#/components/schemas/Name"},"tenant":{"$ref":"#/components/schemas/Name"},"weight":{"type":"int\#
        eger","minimum":1,"maximum":1000,"default":1}}},
        "Queue":{"type":"object","required":["id","name","weight","guarantee","ceiling","borrow","lend","use"],"properties":{"id":{"type\#
        ":"string"},"name":{"$ref":"#/components/schemas/Name"},"parent":{"type":["string","null"],"description":"null for the root"},"w\#
        eight":{"type":"integer","minimum":1,"maximum":1000},"guarantee":{"$ref":"#/components/schemas/Amounts"},"ceiling":{"$ref":"#/co\#
        mponents/schemas/Amounts"},"borrow":{"$ref":"#/components/schemas/Amounts"},"lend":{"$ref":"#/components/schemas/Amounts"},"half\#
        LifeSeconds":{"type":"integer","description":"Of the root alone"},"use":{"$ref":"#/components/schemas/ShareUse"}}},
        "QueueRequest":{"description":"`name` and `parent` when it is made, and only then.","type":"object","additionalProperties":false\#
        ,"properties":{"name":{"$ref":"#/components/schemas/Name"},"parent":{"$ref":"#/components/schemas/Name"},"weight":{"type":"integ\#
        er","minimum":1,"maximum":1000,"default":1},"guarantee":{"$ref":"#/components/schemas/AmountsRequest"},"ceiling":{"$ref":"#/comp\#
        onents/schemas/AmountsRequest"},"borrow":{"$ref":"#/components/schemas/AmountsRequest"},"lend":{"$ref":"#/components/schemas/Amo\#
        untsRequest"},"halfLife":{"type":["string","integer"],"description":"Of the root alone","examples":["12h"]}}},
        "Quota":{"type":"object","required":["id","name","eachUser","limits"],"properties":{"id":{"type":"string"},"name":{"$ref":"#/com\#
        ponents/schemas/Name"},"tenant":{"type":["string","null"]},"project":{"type":["string","null"]},"user":{"type":["string","null"]\#
        },"queue":{"type":["string","null"]},"eachUser":{"type":"boolean"},"limits":{"allOf":[{"$ref":"#/components/schemas/Amounts"},{"\#
        type":"object","properties":{"models":{"type":"array","items":{"type":"object","properties":{"model":{"type":"string"},"deviceMi\#
        lli":{"type":"integer"}}}},"runningTasks":{"type":["integer","null"]},"queuedJobs":{"type":["integer","null"]}}}]},"use":{"$ref"\#
        :"#/components/schemas/ShareUse"},"uses":{"type":"array","items":{"$ref":"#/components/schemas/ShareUse"},"description":"Where e\#
        very user has so much for himself"}}},
        "QuotaRequest":{"description":"Whom it counts is said when it is made, and only then.","type":"object","additionalProperties":fa\#
        lse,"properties":{"name":{"$ref":"#/components/schemas/Name"},"tenant":{"$ref":"#/components/schemas/Name"},"project":{"$ref":"#\#
        /components/schemas/Name"},"user":{"$ref":"#/components/schemas/Name"},"queue":{"$ref":"#/components/schemas/Name"},"eachUser":{\#
        "type":"boolean","default":false},"limits":{"type":"object","additionalProperties":false,"properties":{"cpu":{"type":["string","\#
        number"]},"memory":{"type":["string","integer"]},"devices":{"type":["string","number"]},"computeUnits":{"type":["string","number\#
        "]},"models":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["model","devices"],"properties":{\#
        "model":{"type":"string","examples":["*A100*"]},"devices":{"type":["string","number"]}}}},"runningTasks":{"type":["integer","str\#
        ing"]},"queuedJobs":{"type":["integer","string"]}}}}},
        "Key":{"type":"object","required":["id","tenant","user","role","createdAt"],"properties":{"id":{"type":"string"},"tenant":{"type\#
        ":"string"},"user":{"type":"string"},"role":{"$ref":"#/components/schemas/Role"},"createdAt":{"type":"string","format":"date-tim\#
        e"}}},
        "User":{"type":"object","required":["id","name","uid","gid","weight","use"],"properties":{"id":{"type":"string"},"name":{"type":\#
        "string"},"uid":{"type":["integer","null"]},"gid":{"type":["integer","null"]},"weight":{"type":"integer","minimum":1,"maximum":1\#
        000},"use":{"$ref":"#/components/schemas/ShareUse"}}},
        "UserRequest":{"description":"`name` when it is made, and only then. Both numbers or neither; `account: none` takes them away.",\#
        "type":"object","additionalProperties":false,"properties":{"name":{"$ref":"#/components/schemas/Name"},"uid":{"type":"integer","\#
        minimum":1},"gid":{"type":"integer","minimum":1},"account":{"const":"none"},"weight":{"type":"integer","minimum":1,"maximum":100\#
        0,"default":1}}},
        "Pool":{"type":"object","required":["id","name","tenants","open","nodes","capacity","use"],"properties":{"id":{"type":"string"},\#
        "name":{"type":"string"},"tenants":{"type":"array","items":{"type":"string"},"description":"Who may use it, as far as the caller\#
         may know"},"open":{"type":"boolean","description":"Everybody may use it"},"nodes":{"type":"integer"},"capacity":{"$ref":"#/comp\#
        onents/schemas/Amounts"},"use":{"$ref":"#/components/schemas/ShareUse"}}},
        "PoolRequest":{"description":"`name` when it is made, and only then.","type":"object","additionalProperties":false,"properties":\#
        {"name":{"$ref":"#/components/schemas/Name"},"tenants":{"description":"All that may use it; `none` for everybody","oneOf":[{"con\#
        st":"none"},{"type":"array","maxItems":1000,"items":{"$ref":"#/components/schemas/Name"}}]}}}}}}
        """#
}
