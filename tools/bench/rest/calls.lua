-- The calls that are measured, for wrk:  wrk … -s calls.lua URL -- CALL PEOPLE [PICTURE]
--
-- PEOPLE is how many are enrolled, as "p0" and so on; PICTURE a JPEG file. Prints one line: requests, seconds, failures, p50, p90 and
-- p99 in microseconds.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local FOG = "/SophonFogSys/api"
local json = { ["Content-Type"] = "application/json" }
local people, count = 0, 0

local function somebody()
    return "p" .. math.random(0, people - 1)
end

local function a_feature()
    local list = {}
    for i = 1, 512 do list[i] = string.format("%.5f", math.random() - 0.5) end
    return table.concat(list, ",")
end

-- A few, made before the clock starts: making one takes longer than a request.
local features = {}

local function get(path)
    return wrk.format("GET", path)
end

local calls = {
    alive = function() return get("/healthz") end,
    person = function() return get(FOG .. "/users?need_reg_photo=false&identity_id=" .. somebody()) end,
    page = function()
        return get(FOG .. "/users?need_reg_photo=false&limit=10&skip_num=" .. math.random(0, people - 10))
    end,
    members = function()
        return get(FOG .. "/users?need_reg_photo=false&group_name=staff&limit=10&skip_num=" .. math.random(0, 1000))
    end,
    groups = function() return get(FOG .. "/groups") end,
    events = function() return get("/SophonFace/api/events?per_page=10") end,
    change = function()
        count = count + 1
        local body = string.format('{"identity_id":"%s","info":{"ext_info":{"room":"%d"}}}', somebody(), count)
        return wrk.format("PUT", FOG .. "/users", json, body)
    end,
    create = function()
        count = count + 1
        local body = string.format(
            '{"identity_id":"new%d-%d","group_name":"default_group","reg_photo":"","import_mode":true,"ignore_exist":true,'
                .. '"feature":[%s],"info":{"name":"New"}}',
            number, count % 2000, features[1 + count % #features])
        return wrk.format("POST", FOG .. "/users", json, body)
    end,
    match = function() return match_request end,
}

function init(args)
    math.randomseed(number + 1)
    local name = args[1]
    people = tonumber(args[2])
    if name == "create" then
        for i = 1, 32 do features[i] = a_feature() end
    end
    if name == "match" then
        local file = assert(io.open(args[3], "rb"))
        local picture = file:read("*a")
        file:close()
        local part = '--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
        local body = string.format(part, "group_name", "") .. "default_group\r\n"
            .. string.format(part, "image", '; filename="a.jpg"\r\nContent-Type: image/jpeg') .. picture .. "\r\n--b--\r\n"
        match_request = wrk.format("POST", "/SophonMatch/api/PictureMatch",
            { ["Content-Type"] = "multipart/form-data; boundary=b" }, body)
    end
    request = calls[name]
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    print(string.format("figures %d %.3f %d %d %d %d", summary.requests, summary.duration / 1e6, failed,
        latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
