-- wrk.lua — one GET or PATCH of a person: wrk -s wrk.lua URL -- METHOD TOKEN IDS-FILE
-- METHOD HEALTH asks for /healthz; TOKEN - stands for none.
-- Like the clients of pgbench beside it, each of a thread's clients keeps a random id for HOLD requests.
local HOLD = 100
local CLIENTS = 8
local ids, method, headers, body = {}, nil, nil, nil
local slots, used, turn = {}, {}, 0
local seeds = 0

function setup(thread)
	seeds = seeds + 1
	thread:set("seed", seeds)
end

function init(args)
	method = args[1]
	headers = args[2] ~= "-" and { ["Authorization"] = "Bearer " .. args[2] } or {}
	if method == "PATCH" then
		headers["If-Match"] = "*"
		headers["Content-Type"] = "application/merge-patch+json"
		body = '{"city":"Bench"}'
	end
	for line in io.lines(args[3]) do
		ids[#ids + 1] = line
	end
	math.randomseed(os.time() * 31 + seed)
	for i = 1, CLIENTS do
		used[i] = HOLD - i
	end
end

-- BENCH_PAUSE: milliseconds a client rests between requests, for latency below saturation. wrk looks for it when it loads this file.
local pause = tonumber(os.getenv("BENCH_PAUSE") or "")
if pause then
	function delay()
		return pause
	end
end

function request()
	if method == "HEALTH" then
		return wrk.format("GET", "/healthz", headers)
	end
	turn = turn % CLIENTS + 1
	used[turn] = used[turn] + 1
	if slots[turn] == nil or used[turn] >= HOLD then
		slots[turn] = "/v1/people/" .. ids[math.random(#ids)]
		used[turn] = 0
	end
	return wrk.format(method, slots[turn], headers, body)
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format("bench %d %d %d\n", summary.requests, summary.duration,
		e.connect + e.read + e.write + e.status + e.timeout))
	io.write(string.format("p99 %d\n", latency:percentile(99)))
end
