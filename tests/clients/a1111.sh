#!/bin/sh
# Drives a running farm as clients of A1111's API do, with curl alone.
#
#     sh a1111.sh http://127.0.0.1:7860 [key]
set -eu

base=${1:?usage: sh a1111.sh BASE_URL [KEY]}
key=${2:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# ask METHOD PATH [BODY]: the answer in $folder/$answer, its status printed.
answer=answer
ask() {
    curl --silent --show-error --max-time 300 ${key:+--user "someone:$key"} \
        --request "$1" --header 'Content-Type: application/json' ${3:+--data "$3"} \
        --output "$folder/$answer" --write-out '%{http_code}' "$base$2"
}

# expects STATUS WORD METHOD PATH [BODY]: the answer's status, and a word that it holds.
expects() {
    wanted=$1
    word=$2
    shift 2
    status=$(ask "$@")
    if [ "$status" != "$wanted" ] || ! grep -q -- "$word" "$folder/answer"; then
        echo "FAILED $1 $2: $status, wanted $wanted with $word" >&2
        head -c 600 "$folder/answer" >&2
        exit 1
    fi
    echo "ok  $1 $2"
}

# picture NUMBER: the answer's picture of that number as a file.
picture() {
    tr -d '\n' <"$folder/answer" | sed 's/.*"images":\["\([^"]*\)".*/\1/' | base64 -d \
        >"$folder/$1.png"
}

expects 200 sd_model_checkpoint GET /sdapi/v1/options
expects 200 null POST /sdapi/v1/options "$(cat "$folder/answer")"
for list in sd-models samplers schedulers upscalers latent-upscale-modes sd-vae loras embeddings \
    hypernetworks face-restorers realesrgan-models prompt-styles scripts script-info extensions \
    cmd-flags memory; do
    expects 200 '[]{}]' GET "/sdapi/v1/$list"
done

expects 200 '"job_count":0' GET /sdapi/v1/progress
expects 200 '"info"' POST /sdapi/v1/txt2img \
    '{"prompt":"a lighthouse","steps":4,"seed":7,"width":512,"height":512,"batch_size":1}'
picture first
grep -q PNG "$folder/first.png"
grep -aq 'Steps: 4' "$folder/first.png"
echo "ok  the picture carries its parameters"

data=$(base64 -w0 <"$folder/first.png")
printf '{"image":"%s"}' "$data" >"$folder/body"
expects 200 '"Steps":"4"' POST /sdapi/v1/png-info "@$folder/body"
printf '{"init_images":["%s"],"prompt":"a ship","steps":4,"denoising_strength":0.5}' "$data" \
    >"$folder/body"
expects 200 '"images":\["iVBOR' POST /sdapi/v1/img2img "@$folder/body"
printf '{"image":"%s","upscaler_1":"Lanczos","upscaling_resize":2}' "$data" >"$folder/body"
expects 200 '"image":"iVBOR' POST /sdapi/v1/extra-single-image "@$folder/body"
printf '{"imageList":[{"data":"%s","name":"a"}],"upscaler_1":"Lanczos"}' "$data" >"$folder/body"
expects 200 '"images":\["iVBOR' POST /sdapi/v1/extra-batch-images "@$folder/body"

answer=long_answer
ask POST /sdapi/v1/txt2img \
    '{"prompt":"a castle","steps":150,"force_task_id":"task(curl)"}' >"$folder/long" &
long=$!
answer=answer
tries=0
until (expects 200 '"active":true' POST /internal/progress '{"id_task":"task(curl)"}') \
    >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "FAILED the task never began" >&2; exit 1; }
    sleep 0.1
done
expects 200 '"job_count":1' GET '/sdapi/v1/progress?skip_current_image=true'
expects 200 '{}' POST /sdapi/v1/interrupt
wait "$long"
echo "ok  interrupt ends the call with $(cat "$folder/long")"
expects 200 '"completed":true' POST /internal/progress '{"id_task":"task(curl)"}'

expects 422 restore_faces POST /sdapi/v1/txt2img '{"prompt":"a","restore_faces":true}'
expects 422 tiling POST /sdapi/v1/txt2img '{"prompt":"a","tiling":true}'
expects 400 steps POST /sdapi/v1/txt2img '{"prompt":"a","steps":"many"}'
expects 400 JSON POST /sdapi/v1/txt2img '{'
expects 400 init_images POST /sdapi/v1/img2img '{"init_images":["%%%"]}'
if [ -n "$key" ]; then
    key=tsr_wrong
    expects 401 detail GET /sdapi/v1/options
fi
