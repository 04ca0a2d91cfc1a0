/*
 * What the compatible calls answer with 200, in a notation from which the schemas of /openapi.json are printed:
 *
 *   s string, i integer, n number, b boolean, n~ number or null, w number or word, [s] list of strings, {} any object
 *   {a:s,b?:i} object with string a and perhaps integer b
 *   {a:s,*}    object with string a and more members of any kind
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"

#define PAGES     "pagination:{skip_num:i,limit:i,num_pages:i,total_count:i}"
#define LABEL     "{name:s,description:s,*}"
#define NEW_LABEL "{data:{info:" LABEL "}}"
#define LABELS    "{data:[{_id:s,info:" LABEL "}]}"
#define PERSON_INFO                                                                                                    \
    "{name:s,type:i,user_id:s,face_ids:[s],image_id:s,image_ids:[s],group_ids:[s],permission_ids:[s],"                 \
    "permission_names:[s],*}"
#define HEADPOSE "{pitch_angle:n,roll_angle:n,yaw_angle:n}"
#define QUALITY                                                                                                        \
    "{bbox:[i],fails:[s],fiqa_result:b,info:{brightness:n,clarity:n,face_size:i,feature:n,headpose:" HEADPOSE          \
    ",mask:n,occlusion:[b],partial:b},score:n,success:[s]}"
#define BEST "{identity_id:s,score:n~}"
#define MATCH                                                                                                          \
    "retcode:s,reason:s,score:n~,identity_id:s,name:s,identity_info:{*},person_type:i,reg_pic:s,event_id:s,action:s,"  \
    "verdict:s,threshold:n~,margin:n~,masked:b,best:" BEST ",quality:" QUALITY ",attribute?:{age:i,gender:s,sex:i},"   \
    "liveness?:n"
#define COMPARED "retcode:s,score:n,threshold:n,masked:b,both_masked:b,identity_id:s,name:s,event_id:s"
#define EVENT                                                                                                          \
    "{_id:s,identity_id:s,identity_name:s,group_name:s,timestamp:i,score:n~,recognition_score?:n~,action:s,reason:s,"  \
    "verdict:s,threshold:n~,margin:n~,masked:b,best:" BEST                                                             \
    ",room:s,spot_pic_id:s,recognize_face_pic_id:s,reg_pic_id:s,"                                                      \
    "ext_data:{event_id:s,dev_sno:s,device_ip:s,ep_id:s,device_type:s,person_type:i,grab_fiqa_info:{},"                \
    "box_fiqa_info:{},liveness?:n,mask:n,reason:s,supersedes:s}}"
#define FOUND         "event_list:[" EVENT "],total_count:i,have_more:b,endtimestamp:i,total_time:n"
#define NAMED_DEVICES "success_devices:[{device_id:s,device_name:s}]"
#define DEVICES                                                                                                        \
    "devices_list:[{device_id:s,device_name:s,device_key:s,device_type:s,ep_type:s,group_id:s,permission_id:s,"        \
    "device_attr:{},netRelay:{},direction:i,threshold:w,fiqa_level:s,liveness_mode:s,roi_area:[n],min_face_size:n,"    \
    "dedup_seconds:i,is_monitor:b,memo:s,device_ip:s,ep_id:s,status:s,last_seen:i,frames:i,faces:i,drops:i,"           \
    "reconnects:i,*}]"
#define REALTIME                                                                                                       \
    "{data:{event_server_url:[s],content-type:s,real_need_reg_pic:b,real_need_spot_pic:b,"                             \
    "real_need_recognize_face:b,real_need_send_all_person_type:b}}"
#define HISTORY                                                                                                        \
    "history_upload_event_url:[s],content-type:s,reported_peroid:i,history_need_reg_pic:b,history_need_spot_pic:b,"    \
    "history_need_recognize_face:b,from:s}}"
#define RESPONSE "{data:{response:s}}"
#define DELETED  "{data:{}}"

static const struct answer {
    const char *call, *notation;
} answers[] = {
    {"POST /SophonFogSys/api/permissions", NEW_LABEL},
    {"PUT /SophonFogSys/api/permissions", NEW_LABEL},
    {"GET /SophonFogSys/api/permissions", "{data:{permissions_list:[" LABEL "]," PAGES "}}"},
    {"DELETE /SophonFogSys/api/permissions", "{data:{permission_name:s,group_name:s,message:s}}"},
    {"GET /SophonFace/api/permissions", LABELS},
    {"POST /SophonFogSys/api/groups", NEW_LABEL},
    {"PUT /SophonFogSys/api/groups", NEW_LABEL},
    {"GET /SophonFogSys/api/groups", "{data:{groups_list:[" LABEL "]," PAGES "}}"},
    {"DELETE /SophonFogSys/api/groups", "{data:{group_name:s,message:s}}"},
    {"GET /SophonFace/api/groups", LABELS},
    {"PUT /SophonFogSys/api/GroupUsers", "{data:{group_name:s,identity_id?:[s],message:s}}"},
    {"DELETE /SophonFogSys/api/GroupUsers", "{data:{group_name:s,identity_id?:[s],message:s}}"},
    {"POST /SophonFogSys/api/users", "{data:{identity_id:s,reg_photo?:s,group_name:s,info:" PERSON_INFO "}}"},
    {"GET /SophonFogSys/api/users",
     "{data:{identities_list:[{identity_id:s,reg_photo?:s,group_name:[s],info:" PERSON_INFO "}]," PAGES "}}"},
    {"PUT /SophonFogSys/api/users",
     "{data:{identity_id:s,image_id:s,group_name:[s],info:" PERSON_INFO ",name:s,type:i,permission_ids:[s]}}"},
    {"DELETE /SophonFogSys/api/users", "{data:{identity_id:s,group_name:[s],message:s,*}}"},
    {"POST /SophonFogSys/api/GateControllerMode", "{data:{controller_mode:s}}"},
    {"GET /SophonFogSys/api/GateControllerMode", "{data:{controller_mode:s}}"},
    {"POST /SophonFogSys/api/EventServerUrl", REALTIME},
    {"GET /SophonFogSys/api/EventServerUrl", REALTIME},
    {"POST /SophonFogSys/api/HistoryEventUrl", "{data:{message:s," HISTORY},
    {"GET /SophonFogSys/api/HistoryEventUrl", "{data:{" HISTORY},
    {"POST /SophonFogSys/api/MonitorServerUrl", "{data:s}"},
    {"GET /SophonFogSys/api/MonitorServerUrl", "{data:{monitor_server_url:s,content-type:s,reported_peroid:i}}"},
    {"POST /SophonFogSys/api/WipeData", "{data:{wipe_options:{users:b,events:b}}}"},
    {"GET /SophonMQ/api/DevSno", "{data:{response:s,dev_sno:s}}"},
    {"PUT /SophonMQ/api/DevSno", RESPONSE},
    {"GET /SophonMQ/api/LoginUrl", "{data:{response:s,login_url:s}}"},
    {"PUT /SophonMQ/api/LoginUrl", RESPONSE},
    {"POST /SophonFace/api/FIQA", "{data:[" QUALITY "]}"},
    {"POST /SophonFace/api/detect", "{data:[{bbox:[i],score:n,landmark?:[n],headpose?:" HEADPOSE
                                    ",attribute?:{age:i,gender:s,sex:i},liveness?:n,feature?:[n]}]}"},
    {"POST /SophonMatch/api/compare", "{data:{" COMPARED "}," COMPARED "}"},
    {"POST /SophonMatch/api/PictureMatch", "{data:{" MATCH "}," MATCH "}"},
    {"POST /SophonMatch/api/picturesearch", "{" FOUND ",data:{" FOUND "}}"},
    {"GET /SophonFace/api/events", "{data:[" EVENT "],pagination:{num_pages:i,page:i,per_page:i,total_count:i}}"},
    {"DELETE /SophonFace/api/events", DELETED},
    {"DELETE /SophonFace/api/event_images", DELETED},
    {"GET /SophonDevice/api/Devices", "{data:{" DEVICES "}}"},
    {"POST /SophonDevice/api/Devices", "{data:{" NAMED_DEVICES "," DEVICES "}}"},
    {"PUT /SophonDevice/api/Devices", "{data:{" NAMED_DEVICES "," DEVICES "}}"},
    {"DELETE /SophonDevice/api/Devices", "{data:{" NAMED_DEVICES ",message:s}}"},
};

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static const char *print_type(const char *at, struct json_out *out);

/* Reads "name:" or "name?:"; where the type begins. */
static const char *take_name(const char *at, char name[64], bool *may_lack)
{
    size_t size = strcspn(at, "?:");

    assert(size < 64 && at[size] != '\0');
    (void)snprintf(name, 64, "%.*s", (int)size, at);
    *may_lack = at[size] == '?';
    return at + size + (*may_lack ? 2 : 1);
}

static const char *skip_type(const char *at)
{
    int depth = 0;

    for (; *at && (depth > 0 || !strchr(",}]", *at)); at++)
        depth += strchr("{[", *at) != NULL ? 1 : strchr("}]", *at) != NULL ? -1 : 0;
    return at;
}

/* The names of members that are always there, from `at` up to the object's end. */
static void print_required(const char *at, struct json_out *out)
{
    json_out_key(out, "required");
    json_out_array_begin(out);
    while (*at != '}') {
        if (*at == '*') {
            at++;
        } else {
            char name[64];
            bool may_lack;
            at = skip_type(take_name(at, name, &may_lack));
            if (!may_lack)
                json_out_text(out, name);
        }
        at += *at == ',' ? 1 : 0;
    }
    json_out_array_end(out);
}

static const char *print_object(const char *at, struct json_out *out)
{
    bool more = false;

    json_out_key_text(out, "type", "object");
    if (*at == '}')
        return at + 1;
    print_required(at, out);
    json_out_key(out, "properties");
    json_out_object_begin(out);
    while (*at != '}') {
        if (*at == '*') {
            more = true;
            at++;
        } else {
            char name[64];
            bool may_lack;
            at = take_name(at, name, &may_lack);
            json_out_key(out, name);
            at = print_type(at, out);
        }
        at += *at == ',' ? 1 : 0;
    }
    json_out_object_end(out);
    if (more)
        json_out_key_bool(out, "additionalProperties", true);
    return at + 1;
}

static const char *scalar_name(char letter)
{
    switch (letter) {
    case 's':
        return "string";
    case 'i':
        return "integer";
    case 'n':
        return "number";
    case 'b':
        return "boolean";
    default:
        assert(false && "a letter of the notation"); /* static text */
        return "";
    }
}

/* Prints the schema of the type at `at`; what is behind it. */
static const char *print_type(const char *at, struct json_out *out)
{
    json_out_object_begin(out);
    if (*at == '{') {
        at = print_object(at + 1, out);
    } else if (*at == '[') {
        json_out_key_text(out, "type", "array");
        json_out_key(out, "items");
        at = print_type(at + 1, out);
        assert(*at == ']');
        at++;
    } else if (*at == 'w') {
        json_out_key(out, "oneOf");
        json_out_raw(out, "[{\"type\":\"number\"},{\"type\":\"string\"}]");
        at++;
    } else if (at[1] == '~') {
        json_out_key(out, "type");
        json_out_array_begin(out);
        json_out_text(out, scalar_name(*at));
        json_out_text(out, "null");
        json_out_array_end(out);
        at += 2;
    } else {
        json_out_key_text(out, "type", scalar_name(*at++));
    }
    json_out_object_end(out);
    return at;
}

bool openapi_print_answer(const struct api_endpoint *row, struct json_out *out)
{
    size_t method = strlen(row->method);

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const char *call = answers[i].call;
        if (strncmp(call, row->method, method) != 0 || call[method] != ' ' || strcmp(call + method + 1, row->path) != 0)
            continue;
        const char *end = print_type(answers[i].notation, out);
        assert(*end == '\0');
        (void)end;
        return true;
    }
    return false;
}
